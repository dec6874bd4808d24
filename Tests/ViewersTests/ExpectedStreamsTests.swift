import EventLoop
import Media
import Testing

@testable import HTTPServer
@testable import Viewers

@Suite struct `Streams that are expected back` {
  private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

  private func key(_ wedding: String, _ camera: String = "main") throws -> StreamKey {
    try #require(StreamKey(wedding: wedding, camera: camera))
  }

  private func code(_ response: PreparedResponse?) -> String? {
    guard let response else { return nil }
    #expect(response.status == 503)
    #expect(response.identity.fields.contains { $0.name == "retry-after" && $0.value == "2" })
    let words = String(decoding: response.identity.body, as: UTF8.self)
    return words.split(separator: "\"").dropFirst(5).first.map(String.init)
  }

  @Test func `are 503 until they aren't any more, and all others nothing`() throws {
    let expected = ExpectedStreams(
      [try key("ana"), try key("ben", "program"), try key("ben", "two")],
      until: Self.start + .seconds(60))
    let later = Self.start + .seconds(59)
    for (wedding, camera) in [
      ("ana", "main"), ("ana", "program"), ("ben", "program"), ("ben", "two"),
    ] {
      let key = try key(wedding, camera)
      #expect(code(expected.answer(key, at: later)) == "returning", "\(key)")
      #expect(expected.answer(key, at: Self.start + .seconds(60)) == nil)
    }
    for (wedding, camera) in [("ana", "two"), ("ben", "main"), ("carl", "program")] {
      #expect(expected.answer(try key(wedding, camera), at: later) == nil, "\(wedding) \(camera)")
    }
  }

  @Test func `a program is as soon as it has cameras, and before it has segments`() throws {
    let expected = ExpectedStreams(isOpening: { $0 == "ana" })
    #expect(code(expected.answer(try key("ana", "program"), at: Self.start)) == "starting")
    #expect(expected.answer(try key("ana"), at: Self.start) == nil)
    #expect(expected.answer(try key("ben", "program"), at: Self.start) == nil)
  }
}
