import Viewers
import Foundation
import HLS
import Media
import TLS
import Testing

@testable import Origin

@Suite struct `Live stream, encrypted` {
  private let encoder = Encoder()

  private func stream(segmentsPerKey: Int = 2) throws -> TestStream {
    var configuration = StreamConfiguration()
    var encryption = KeySchedule.Configuration()
    encryption.segmentsPerKey = segmentsPerKey
    configuration.encryption = encryption
    return try TestStream(configuration: configuration)
  }

  private func keys(_ stream: TestStream) -> [Substring] {
    guard let snapshot = stream.snapshot else { return [] }
    return stream.text(snapshot.renditions[0].playlist).split(separator: "\n")
      .filter { $0.hasPrefix("#EXT-X-KEY") }
  }

  private func tag(_ key: StreamKeyMaterial) -> Substring {
    "#EXT-X-KEY:METHOD=AES-128,URI=\"/api/streams/keys/w/\(key.id).key\""
  }

  @Test func `nothing is published before a key is there, and nothing is lost by that`() throws {
    let stream = try stream()
    stream.begin()
    #expect(stream.keysWanted == 1)
    stream.feed(encoder.headers + encoder.messages(seconds: 10))
    #expect(stream.playlist == nil)
    let key = StreamKeyMaterial.random(wedding: "w")
    stream.stream.add(key)
    stream.look()
    #expect(try #require(stream.playlist).entries.count == 3)
    #expect(keys(stream) == [tag(key)])
    #expect(stream.keysWanted == 2)
    #expect(stream.problems.isEmpty && stream.refusals.isEmpty)
  }

  @Test func `keys change after so many segments, and each segment opens with its own`() throws {
    let stream = try stream(segmentsPerKey: 2)
    var made: [StreamKeyMaterial] = []
    stream.onKey = { stream in
      let key = StreamKeyMaterial.random(wedding: "w")
      made.append(key)
      stream.add(key)
    }
    stream.begin()
    stream.feed(encoder.headers + encoder.messages(seconds: 16))
    let playlist = try #require(stream.playlist)
    #expect(playlist.entries.count == 5)
    #expect(keys(stream) == made.prefix(3).map(tag))
    #expect(made.count == 4)
    let plain = try plainSegments(count: 5)
    for (index, name) in playlist.names.enumerated() {
      let sealed = try #require(stream.body(name))
      #expect(sealed != plain[index])
      let again = try SegmentCipher.encrypt(
        plain[index], key: made[index / 2].bytes, sequence: index)
      #expect(sealed == again)
    }
    #expect(stream.problems.isEmpty && stream.refusals.isEmpty)
  }

  @Test func `a publisher that leaves wants no more keys, and the next one does`() throws {
    let stream = try stream(segmentsPerKey: 1)
    stream.onKey = { $0.add(.random(wedding: "w")) }
    stream.begin()
    stream.feed(encoder.headers + encoder.messages(seconds: 5))
    let wanted = stream.keysWanted
    stream.stream.interrupt()
    stream.look()
    #expect(try #require(stream.playlist).entries.count == 2)
    #expect(stream.keysWanted == wanted)
    stream.begin()
    #expect(stream.keysWanted == wanted + 1)
  }

  @Test func `a stream without a key is refused before it fills the memory`() throws {
    let stream = try stream()
    stream.begin()
    stream.feed(encoder.headers + encoder.messages(seconds: 70))
    #expect(stream.refusals == ["no key could be made for this stream"])
    #expect(stream.playlist == nil)
  }

  /// The segments of the same messages, not encrypted.
  private func plainSegments(count: Int) throws -> [[UInt8]] {
    let stream = try TestStream()
    stream.begin()
    stream.feed(encoder.headers + encoder.messages(seconds: 16))
    return try #require(stream.playlist).names.prefix(count).map {
      try #require(stream.body($0))
    }
  }
}
