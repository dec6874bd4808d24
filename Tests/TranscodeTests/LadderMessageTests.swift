import Bytes
import Media
import Testing

@testable import Transcode

@Suite struct `Ladder wire` {
  private static func frame(_ track: Track, _ payload: [UInt8], offset: Int = 0) -> Frame {
    Frame(
      track: track, codec: track == .video ? .h264 : .aac, dts: MediaTime(ticks: -90_000),
      pts: MediaTime(ticks: 1 << 40), isKeyframe: track == .audio, payload: payload,
      payloadOffset: offset)
  }

  private static let commands: [LadderCommand] = [
    .videoConfiguration(codec: .h264, record: [1, 2, 3], rate: FrameRate(30_000, per: 1001)),
    .videoConfiguration(codec: .h265, record: [], rate: nil),
    .audioConfiguration(codec: .aac, record: [0x11, 0x90]),
    .frame(frame(.video, [1, 2, 3, 4]), isCut: true),
    .frame(frame(.audio, []), isCut: false),
    .wanted(0xF000_000F), .drain(.max),
  ]

  private static let events: [LadderEvent] = {
    var report = LadderReport()
    report.lag = MediaTime(milliseconds: 1_234)
    report.step = 3
    report.activeRungs = 5
    report.decoded = 1 << 40
    report.dropped = 2
    report.encoded = 3
    return [
      .configuration(.rung(31), codec: .av1, record: [9]),
      .configuration(.audio(4), codec: .aac, record: [0x11, 0x90]),
      .frame(.rung(0), frame(.video, [7, 8]), isCut: true),
      .frame(.audio(1), frame(.audio, [9]), isCut: false),
      .drained(7), .report(report), .failed(TranscodeError(.codecMissing, "no encoder")),
    ]
  }()

  private func bytes(_ messages: [some LadderMessage]) -> [UInt8] {
    var bytes: [UInt8] = []
    for message in messages { message.append(to: &bytes) }
    return bytes
  }

  /// All messages of bytes that come in two parts.
  private func read<Message: LadderMessage>(
    _ bytes: [UInt8], splitAt cut: Int, as type: Message.Type
  ) throws -> [Message] {
    var reader = LadderMessageReader<Message>()
    var messages: [Message] = []
    for part in [bytes[..<cut], bytes[cut...]] {
      let part = Array(part)
      reader.append(part.span)
      while let message = try reader.next() { messages.append(message) }
    }
    return messages
  }

  @Test func `messages split at any byte come out the same`() throws {
    let commands = bytes(Self.commands)
    for cut in 0...commands.count {
      #expect(try read(commands, splitAt: cut, as: LadderCommand.self) == Self.commands)
    }
    let events = bytes(Self.events)
    for cut in 0...events.count {
      #expect(try read(events, splitAt: cut, as: LadderEvent.self) == Self.events)
    }
  }

  @Test func `what stands before a frame's own data stays behind`() throws {
    let tag = Self.frame(.video, [0x17, 1, 0, 0, 0, 5, 6], offset: 5)
    let bytes = bytes([LadderCommand.frame(tag, isCut: false)])
    let messages = try read(bytes, splitAt: 0, as: LadderCommand.self)
    #expect(messages == [.frame(Self.frame(.video, [5, 6]), isCut: false)])
  }

  /// A message of which only the first bytes came, with a length that says so.
  private func shortened(_ whole: [UInt8], to length: Int) -> [UInt8] {
    var short: [UInt8] = []
    short.append(u32: UInt32(length))
    return short + whole[4..<4 + length]
  }

  @Test func `a message with a field missing is an error`() throws {
    // Where the free bytes at the end begin; the others end with their last field.
    let free: [UInt8: Int] = [1: 13, 2: 5, 3: 23]
    for whole in Self.commands.map({ bytes([$0]) }) {
      for length in 0..<(free[whole[4]] ?? whole.count - 4) {
        #expect(throws: LadderWireError.self, "\(whole) at \(length)") {
          let bytes = shortened(whole, to: length)
          _ = try read(bytes, splitAt: 0, as: LadderCommand.self)
        }
      }
    }
    let freeEvents: [UInt8: Int] = [1: 6, 2: 6, 3: 24, 6: 2]
    for whole in Self.events.map({ bytes([$0]) }) {
      for length in 0..<(freeEvents[whole[4]] ?? whole.count - 4) {
        #expect(throws: LadderWireError.self, "\(whole) at \(length)") {
          let bytes = shortened(whole, to: length)
          _ = try read(bytes, splitAt: 0, as: LadderEvent.self)
        }
      }
    }
  }

  @Test func `values that can't be and lengths that may not be are errors`() throws {
    let wrong: [[UInt8]] = [
      [0, 0, 0, 0], [0, 0, 0, 1, 99], [0, 0, 0, 1, 4], [0, 0, 0, 6, 4, 0, 0, 0, 1, 0],
      [4, 0, 0, 1, 3], [0, 0, 0, 2, 3, 2],
      [0, 0, 0, 13, 1] + Array("mp4a".utf8) + [0, 0, 0, 0, 0, 0, 0, 0],
    ]
    for bytes in wrong {
      #expect(throws: LadderWireError.self, "\(bytes)") {
        _ = try read(bytes, splitAt: 0, as: LadderCommand.self)
      }
    }
    #expect(throws: LadderWireError.tooLong(64 << 20 | 1)) {
      _ = try read([4, 0, 0, 1, 3], splitAt: 0, as: LadderEvent.self)
    }
  }

  @Test func `bytes of a broken worker are errors or messages, never a trap`() {
    var random = SystemRandomNumberGenerator()
    let whole = bytes(Self.events)
    for _ in 0..<3_000 {
      var broken = whole
      for _ in 0..<3 {
        broken[Int.random(in: 0..<broken.count, using: &random)] = random.next()
      }
      _ = try? read(broken, splitAt: 0, as: LadderEvent.self)
      _ = try? read(broken, splitAt: 0, as: LadderCommand.self)
    }
  }

  @Test func `control characters in a worker's last words do not reach a log`() throws {
    let event = LadderEvent.failed(TranscodeError(.libav, "a\u{1B}[2J\nb"))
    let read = try read(bytes([event]), splitAt: 0, as: LadderEvent.self)
    #expect(read == [.failed(TranscodeError(.libav, "a[2Jb"))])
  }
}
