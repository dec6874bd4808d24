import ArgumentParser
import EventLoop
import Foundation
import Ingest
import Media
import RTMP
import Testing

@testable import wedlive

@Suite struct `Publishing` {
  @Test func `the progress line says time, rate, speed and size`() {
    var progress = PublishProgress()
    let start = MonotonicTime(nanoseconds: 1_000_000_000)
    let first = progress.line(PublishCounts(), at: start)
    #expect(first == "0:00:00  0.0 fps  0.00 Mbit/s  sent 0 KiB")
    let counts = PublishCounts(
      time: MediaTime(seconds: 3_725.5), frames: 30, sentBytes: 2 << 20, waitingBytes: 1 << 20)
    let second = progress.line(counts, at: start + .seconds(1))
    #expect(
      second == "1:02:05  30.0 fps  16.78 Mbit/s  sent 2.0 MiB  waiting 1.0 MiB")
  }

  @Test(arguments: [(0.0, "0.00"), (1.005, "1.00"), (12.349, "12.35"), (-0.5, "-0.50")])
  func `numbers are written with their decimals`(value: Double, text: String) {
    #expect(PublishProgress.fixed(value, 2) == text)
  }

  @Test func `the metadata has what the sequence headers say`() {
    var metadata = PublishMetadata(videoBitrate: 2_500_000)
    #expect(metadata.object["videodatarate"]?.number == 2_500)
    // AAC-LC, 48 kHz, stereo.
    let audio = FLVTag(kind: .audio, timestamp: 0, body: [0xAF, 0, 0x11, 0x90])
    let isHeader = metadata.take(audio)
    #expect(isHeader)
    #expect(metadata.object["audiosamplerate"]?.number == 48_000)
    #expect(metadata.object["stereo"]?.boolean == true)
    let others = [
      FLVTag(kind: .audio, timestamp: 0, body: [0xAF, 1, 0x21]),
      FLVTag(kind: .video, timestamp: 0, body: [0x17, 1, 0, 0, 0, 0]),
      FLVTag(kind: .video, timestamp: 0, body: []),
    ].map { metadata.take($0) }
    #expect(others == [false, false, false])
  }

  @Test(arguments: [("800k", 800_000), ("2.5M", 2_500_000), ("64000", 64_000)])
  func `bit rates are read`(text: String, bits: Int) {
    #expect(PublishCommand.bits(text) == bits)
  }

  @Test(arguments: ["", "k", "-1k", "1x", "nan", "infk"])
  func `what isn't a bit rate is refused`(text: String) {
    #expect(PublishCommand.bits(text) == nil)
  }

  @Test(arguments: [
    ["http://a/b/c"], ["rtmp://a/b"], ["rtmp://a/b/c", "--size", "10x10"],
    ["rtmp://a/b/c", "--rate", "0"], ["rtmp://a/b/c", "--bitrate", "1"],
    ["rtmp://a/b/c", "--duration", "10"], ["rtmps://a/b/c", "--ca", "x", "--insecure"],
  ])
  func `options that make no sense are refused`(arguments: [String]) {
    #expect(throws: (any Error).self) { try PublishCommand.parse(arguments) }
  }

  @Test func `a server that isn't there and a file that isn't there are told`() async throws {
    let closed = try Socket.listening(on: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    let port = closed.localAddress.port
    close(closed.release())
    var options = PublishOptions(to: try RTMPAddress("rtmp://127.0.0.1:\(port)/live/x"))
    let end = await #expect(throws: PublishRun.End.self) { try await PublishTask(options).run() }
    #expect(end.map { "\($0)" }?.contains("Connection refused") == true)
    options.input = "/nowhere/a.mp4"
    await #expect(throws: StartFailure("/nowhere/a.mp4: there is no such file")) {
      try await PublishTask(options).run()
    }
  }
}
