import Ingest
import RTMP
import Testing

@testable import Relay

@Suite struct `Replay buffer` {
  private func message(_ type: MessageType, _ time: UInt32, _ payload: [UInt8]) -> Message {
    Message(type: type, streamID: 1, timestamp: time, payload: payload)
  }

  private func fill(
    _ buffer: inout ReplayBuffer, _ range: Range<Int>, group: Int = 10, from: UInt32 = 0
  ) {
    for index in range {
      let payload =
        index % group == 0 ? TestEncoder.keyframe(1_000, 1) : TestEncoder.picture(1_000, 1)
      buffer.append(.video, message(.video, from &+ UInt32(index * 40), payload), at: 0)
    }
  }

  /// Sends all that is to be sent, to an origin that reads so many of the messages; all, where none
  /// is given.
  private func drain(_ buffer: inout ReplayBuffer, read: Int? = nil) -> [Message] {
    var messages: [Message] = []
    // Each counts as a byte that it was written.
    var written = buffer.readBytes
    while buffer.take(after: written, { messages.append($0) }) { written += 1 }
    buffer.readBytes = read.map { UInt64($0) } ?? written
    return messages
  }

  @Test func `without announcements ten seconds are kept, and at least two groups`() {
    var buffer = ReplayBuffer(limitBytes: 64 << 20, spanMilliseconds: 10_000)
    for part in 0..<10 {
      fill(&buffer, part * 100..<part * 100 + 100)
      _ = drain(&buffer)
      buffer.trim()
    }
    buffer.rewind()
    let replay = drain(&buffer)
    // The newest is 39,960, keyframes are 400 ms apart.
    #expect(replay.first?.timestamp == 29_600)
    var long = ReplayBuffer(limitBytes: 64 << 20, spanMilliseconds: 10_000)
    fill(&long, 0..<1_900, group: 500)
    _ = drain(&long)
    long.trim()
    long.rewind()
    #expect(drain(&long).first?.timestamp == 20_000)
  }

  @Test func `what an origin has not read yet is kept, however old it is`() {
    var buffer = ReplayBuffer(limitBytes: 64 << 20, spanMilliseconds: 10_000)
    fill(&buffer, 0..<1_000)
    _ = drain(&buffer, read: 109)
    buffer.trim()
    buffer.rewind()
    // It has ten whole groups, and a part of another one.
    #expect(drain(&buffer, read: 0).first?.timestamp == 4_000)
    buffer.trim()
    buffer.rewind()
    // The next one has read none of it, whatever the one before had.
    #expect(drain(&buffer).first?.timestamp == 4_000)
  }

  @Test func `nothing that is still to be sent is let go`() {
    var buffer = ReplayBuffer(limitBytes: 100_000, spanMilliseconds: 1_000)
    fill(&buffer, 0..<500)
    buffer.trim()
    buffer.announce(15_000)
    #expect(buffer.isFull)
    #expect(drain(&buffer).count == 500)
    buffer.trim()
    #expect(buffer.keptBytes < 100_000)
    #expect(buffer.waitingBytes == 0)
    #expect(buffer.lost == 0)
  }

  @Test func `a time of another clock lets nothing go`() {
    var buffer = ReplayBuffer(limitBytes: 64 << 20, spanMilliseconds: 10_000)
    fill(&buffer, 0..<100, from: 500_000)
    _ = drain(&buffer)
    buffer.announce(503_600)
    fill(&buffer, 0..<100)
    _ = drain(&buffer)
    buffer.trim()
    buffer.rewind()
    #expect(drain(&buffer).first?.timestamp == 503_600)
    // Over the wrap it goes on.
    var wrapping = ReplayBuffer(limitBytes: 64 << 20, spanMilliseconds: 10_000)
    fill(&wrapping, 0..<100, from: UInt32.max - 1_000)
    _ = drain(&wrapping)
    wrapping.announce(UInt32.max &- 1_000 &+ 2_000)
    wrapping.rewind()
    #expect(drain(&wrapping).first?.timestamp == UInt32.max &- 1_000 &+ 2_000)
  }

  @Test func `headers that change go ahead as they were then`() {
    var buffer = ReplayBuffer(limitBytes: 64 << 20, spanMilliseconds: 10_000)
    let old = TestEncoder.videoHeader
    let new = TestEncoder.videoHeader + [9]
    buffer.append(.data, message(.data, 5, TestEncoder.metadata), at: 0)
    buffer.append(.video, message(.video, 5, old), at: 0)
    fill(&buffer, 0..<10)
    fill(&buffer, 10..<20)
    buffer.append(.video, message(.video, 790, new), at: 0)
    fill(&buffer, 20..<30)
    _ = drain(&buffer)
    buffer.announce(400)
    buffer.rewind()
    let replay = drain(&buffer)
    #expect(replay.prefix(3).map(\.payload).dropLast() == [TestEncoder.metadata, old])
    #expect(replay.filter { $0.payload == new }.count == 1)
    buffer.announce(800)
    buffer.rewind()
    #expect(drain(&buffer)[1].payload == new)
  }

  @Test func `sound that came ahead of its keyframe is replayed with it`() {
    var buffer = ReplayBuffer(limitBytes: 64 << 20, spanMilliseconds: 10_000)
    buffer.append(.audio, message(.audio, 0, TestEncoder.audioHeader), at: 0)
    fill(&buffer, 0..<10)
    for time in [360, 380, 400, 420] as [UInt32] {
      buffer.append(.audio, message(.audio, time, TestEncoder.sound(9, UInt8(time / 20))), at: 0)
    }
    fill(&buffer, 10..<20)
    _ = drain(&buffer)
    buffer.announce(400)
    buffer.rewind()
    let replay = drain(&buffer)
    #expect(replay.prefix(4).map(\.timestamp) == [400, 400, 420, 400])
    #expect(replay[3].payload.starts(with: [0x17, 1]))
  }

  @Test func `a group larger than the bound can't be replayed, and the next one can`() {
    var buffer = ReplayBuffer(limitBytes: 100_000, spanMilliseconds: 10_000)
    fill(&buffer, 0..<300, group: 400)
    _ = drain(&buffer)
    buffer.trim()
    #expect(buffer.keptBytes < 100_000)
    fill(&buffer, 300..<310, group: 400)
    buffer.rewind()
    fill(&buffer, 310..<320, group: 400)
    #expect(drain(&buffer).isEmpty)
    #expect(buffer.lost == 20)
    fill(&buffer, 400..<410, group: 400)
    #expect(drain(&buffer).map(\.timestamp).first == 16_000)
    #expect(buffer.waitingBytes == 0)
    #expect(buffer.lost == 20)
  }

  @Test func `what is sent again has the date of when it came, until an origin has listed it`() {
    var buffer = ReplayBuffer(limitBytes: 64 << 20, spanMilliseconds: 10_000)
    #expect(buffer.date == nil)
    for index in 0..<30 {
      let payload = index % 10 == 0 ? TestEncoder.keyframe(9, 1) : TestEncoder.picture(9, 1)
      let time = 5_000 + UInt32(index) * 40
      buffer.append(.video, message(.video, time, payload), at: 1_000_000 + Int64(index) * 41)
    }
    _ = drain(&buffer)
    #expect(buffer.date == StreamDate(time: 5_000, date: 1_000_000))
    buffer.announce(5_400)
    #expect(buffer.date == StreamDate(time: 5_400, date: 1_000_410))
    // By another clock than this node's, and of another time than what is kept.
    let listed = StreamDate(time: 5_800, date: 995_800)
    buffer.note(listed)
    #expect(buffer.date == listed)
    buffer.note(StreamDate(time: 500_000, date: 7))
    #expect(buffer.date == listed, "that is another clock's")
    // The publisher's clock begins anew: what was listed by the one before says nothing.
    buffer.append(.video, message(.video, 0, TestEncoder.keyframe(9, 1)), at: 1_002_000)
    _ = drain(&buffer)
    #expect(buffer.date == StreamDate(time: 5_400, date: 1_000_410))
    // Nor does what is listed by this one about what came before.
    let anew = StreamDate(time: 0, date: 997_000)
    buffer.note(anew)
    #expect(buffer.date == StreamDate(time: 5_400, date: 1_000_410))
    // When that is gone it does; also where nothing is left that an origin could begin with.
    for limit in [3_000, 2_000] {
      var next = ReplayBuffer(limitBytes: limit, spanMilliseconds: 0)
      for time in [9_000, 0] as [UInt32] {
        next.append(.video, message(.video, time, TestEncoder.keyframe(1_900, 1)), at: 1_002_000)
      }
      _ = drain(&next)
      next.trim()
      #expect(next.date == (limit == 3_000 ? StreamDate(time: 0, date: 1_002_000) : nil))
      next.note(anew)
      #expect(next.date == anew)
    }
  }

  @Test func `a stream of sound alone is replayed from a second before`() {
    var buffer = ReplayBuffer(limitBytes: 64 << 20, spanMilliseconds: 10_000)
    buffer.append(.audio, message(.audio, 0, TestEncoder.audioHeader), at: 0)
    for index in 0..<1_000 {
      buffer.append(.audio, message(.audio, UInt32(index * 20), TestEncoder.sound(9, 1)), at: 0)
    }
    _ = drain(&buffer)
    buffer.announce(15_700)
    buffer.rewind()
    let replay = drain(&buffer)
    #expect(replay.first?.payload == TestEncoder.audioHeader)
    #expect(replay[1].timestamp == 15_000)
    #expect(replay.count == 1 + 250)
  }

  @Test func `only a relay says that a stream is resumed`() {
    let names = [
      ("abc", "abc"), ("abc?resume=1&relay=1&after=7.2", "abc"),
      ("abc?token=a%26b&res%75me=1", "abc?token=a%26b"),
      ("abc?handover=&x=1&resume", "abc?x=1"), ("abc?program=1.0.1.0.a&x=1", "abc?x=1"),
      ("abc?", "abc?"), ("a?b?c", "a?b?c"),
    ]
    for (raw, clean) in names { #expect(StreamName(raw).asPublished == clean) }
    let name = StreamName("abc?token=x&resume=1")
    #expect(name.forOrigin(resumes: false, isHandover: false) == "abc?token=x&relay=1")
    #expect(name.forOrigin(resumes: true, isHandover: false) == "abc?token=x&relay=1&resume=1")
    #expect(
      StreamName("abc").forOrigin(resumes: true, isHandover: true)
        == "abc?relay=1&resume=1&handover=1")
  }
}
