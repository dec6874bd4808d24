import TestSupport
import Media
import RTMP
import Telemetry
import Testing

@testable import Origin

@Suite struct `Stream memory` {
  private let metrics = MetricRegistry()

  private func memory(_ limit: Int) -> StreamMemory {
    StreamMemory(limitBytes: limit, metrics: metrics)
  }

  /// A value as it is scraped.
  private func metric(_ name: String) -> String? {
    String(decoding: metrics.text(), as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
  }

  private func action(_ name: String) -> String? {
    metric("wedlive_stream_memory_actions_total{action=\"\(name)\"}")
  }

  /// Feeds an encoder as time passes.
  private func feed(_ test: TestStream, _ encoder: Encoder, _ seconds: Range<Int>) {
    for second in seconds {
      test.feed(encoder.messages(from: second, seconds: 1))
      test.pass(.seconds(1))
    }
  }

  private func encoder(_ pictureBytes: Int) -> Encoder {
    var encoder = Encoder(hasAudio: false)
    encoder.pictureBytes = pictureBytes
    return encoder
  }

  // MARK: The account

  @Test func `no new stream is taken from three quarters on`() {
    let memory = memory(1_000)
    memory.changed(from: 0, to: 749)
    #expect(memory.admit())
    memory.changed(from: 749, to: 750)
    #expect(!memory.admit())
    #expect(action("refused") == "1")
    #expect(metric("wedlive_stream_memory_bytes") == "750")
    #expect(metric("wedlive_stream_memory_limit_bytes") == "1000")
  }

  @Test func `who has no more than its share is asked for nothing`() {
    let memory = memory(8_000)
    memory.changed(from: 0, to: 3_000)
    memory.changed(from: 0, to: 3_999)
    #expect(memory.surplus(of: 3_999) == 0)
    memory.changed(from: 3_999, to: 5_000)
    #expect(memory.surplus(of: 3_000) == 0)
    #expect(memory.surplus(of: 5_000) == 1_000)
    memory.changed(from: 5_000, to: 3_600)
    memory.changed(from: 0, to: 1_400)
    // The share is now a third: the larger ones give up to that, and not more than is needed.
    #expect(memory.surplus(of: 3_600) == 1_000)
    #expect(memory.surplus(of: 3_000) == 3_000 - 7_000 / 3)
    #expect(memory.surplus(of: 1_400) == 0)
  }

  @Test func `one at a time is ended, beyond the limit, and never one within its share`() {
    let memory = memory(8_000)
    memory.changed(from: 0, to: 3_000)
    memory.changed(from: 0, to: 5_000)
    #expect(!memory.mustEnd(5_000, now: 0))
    memory.changed(from: 5_000, to: 6_000)
    #expect(!memory.mustEnd(3_000, now: 0))
    #expect(memory.mustEnd(6_000, now: 0))
    #expect(!memory.mustEnd(6_000, now: 9_999))
    #expect(memory.mustEnd(6_000, now: 10_000))
    #expect(action("ended") == "2")
  }

  @Test func `far beyond the limit nobody's turn is waited for`() {
    let memory = memory(8_000)
    for _ in 0..<3 { memory.changed(from: 0, to: 4_000) }
    #expect(memory.mustEnd(4_000, now: 0))
    memory.changed(from: 4_000, to: 1_500)
    #expect(memory.mustEnd(4_000, now: 1))
    memory.changed(from: 4_000, to: 1_500)
    #expect(!memory.mustEnd(4_000, now: 2))
    #expect(action("ended") == "2")
  }

  @Test func `streams that are over leave the room to those that are live`() throws {
    let memory = memory(4 << 20)
    let test = try TestStream(memory: memory)
    test.begin()
    test.feed(encoder(2_000).headers)
    feed(test, encoder(2_000), 0..<60)
    test.stream.interrupt()
    memory.changed(from: 0, to: 4 << 20)
    test.stream.expire()
    test.look()
    #expect(test.playlist?.entries.count == 1)
    #expect(test.problems == [])
  }

  @Test func `the sum is right whoever adds`() async {
    let memory = memory(1_000)
    await withTaskGroup { group in
      for index in 1...8 {
        group.addTask {
          for size in 1...2_000 { memory.changed(from: size - 1, to: size) }
          memory.changed(from: 2_000, to: index)
        }
      }
    }
    #expect(memory.heldBytes == 36)
    #expect(memory.surplus(of: 900) == 0)
  }

  // MARK: Streams

  @Test func `what a stream holds is counted until it is gone`() throws {
    let memory = memory(1 << 30)
    do {
      let test = try TestStream(memory: memory)
      test.begin()
      test.feed(encoder(2_000).headers)
      feed(test, encoder(2_000), 0..<10)
      let kept = try #require(test.board[.named("w")]?.playlist?.memoryBytes)
      #expect(memory.heldBytes > kept)
      #expect(kept > 400_000)
    }
    #expect(memory.heldBytes == 0)
    #expect(memory.surplus(of: 1) == 0)
  }

  @Test func `as memory runs out the largest gets shorter, and nobody else`() throws {
    let memory = memory(4 << 20)
    let large = try TestStream(.named("large"), memory: memory)
    let small = try TestStream(.named("small"), memory: memory)
    for test in [large, small] { test.begin() }
    large.feed(encoder(2_000).headers)
    small.feed(encoder(200).headers)
    var most = 0
    for second in 0..<200 {
      feed(large, encoder(2_000), second..<second + 1)
      feed(small, encoder(200), second..<second + 1)
      most = max(most, memory.heldBytes)
    }
    #expect(large.refusals + small.refusals == [])
    #expect(large.problems + small.problems == [])
    #expect(most <= memory.limitBytes)
    #expect(small.playlist?.entries.count == 20)
    let listed = try #require(large.playlist?.entries)
    #expect((6..<15).contains(listed.count))
    for entry in listed { #expect(large.has(entry.name)) }
    #expect(try #require(Int(action("shortened") ?? "")) > 20)
    #expect(action("ended") == "0")
    // The small one goes, and the large one has room again: its window grows back.
    let playlist = listed.count
    small.stream.interrupt()
    feed(large, encoder(100), 200..<290)
    #expect(try #require(large.playlist?.entries.count) > playlist)
    #expect(large.problems == [])
  }

  @Test func `one that can't be shorter is ended with words, and taken again when there is room`()
    throws
  {
    let memory = memory(4 << 20)
    memory.changed(from: 0, to: 2 << 20)
    let test = try TestStream(memory: memory)
    test.begin()
    test.feed(encoder(2_000).headers)
    var second = 0
    while test.refusals.isEmpty, second < 120 {
      feed(test, encoder(2_000), second..<second + 1)
      second += 1
    }
    #expect(
      test.refusals == [
        "this server's memory for streams is full, and this stream takes more than its share; "
          + "lower its bit rate, or connect to another server"
      ])
    #expect(action("ended") == "1")
    #expect(test.playlist?.entries.count == 6)
    #expect(test.problems == [])
    test.stream.interrupt()
    memory.changed(from: 2 << 20, to: 3 << 20)
    test.begin()
    #expect(test.refusals.count == 2)
    test.stream.interrupt()
    memory.changed(from: 3 << 20, to: 1 << 20)
    test.begin()
    test.feed(encoder(400).headers)
    feed(test, encoder(400), 0..<20)
    #expect(test.refusals.count == 2)
    #expect(test.problems == [])
  }

  @Test func `a stream that waits for its publisher makes room as well`() throws {
    let memory = memory(8 << 20)
    let test = try TestStream(memory: memory)
    test.begin()
    test.feed(encoder(2_000).headers)
    feed(test, encoder(2_000), 0..<100)
    test.stream.interrupt()
    test.look()
    let before = memory.heldBytes
    memory.changed(from: 0, to: 4 << 20)
    test.stream.expire()
    test.look()
    #expect(memory.heldBytes - 4 << 20 < before - 500_000)
    #expect(test.playlist?.entries.allSatisfy { test.has($0.name) } == true)
    #expect(test.problems == [])
  }

  @Test func `a publisher is told that there is no room`() async throws {
    let node = try await TestNode { $0.memoryBytes = 64 << 20 }
    #expect(node.node.memory.limitBytes == 64 << 20)
    node.node.memory.changed(from: 0, to: 60 << 20)
    let publisher = try await node.connect(.publish, try node.token())
    #expect(await eventually { await publisher.state.isOver })
    #expect(
      await publisher.state.refusal?.text
        == "this server's memory for streams is nearly full; connect to another one, or try again "
        + "when fewer are live")
    node.node.memory.changed(from: 60 << 20, to: 0)
    _ = try await node.publish(try node.token())
    let standard = try await TestNode()
    #expect(standard.node.memory.limitBytes == MachineMemory.bytes() / 2)
  }
}
