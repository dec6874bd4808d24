import Bytes
import HTTPSemantics
import HTTPServer
import HTTPTypes

/// A body source that gives `count` pieces of `size` bytes, then ends or fails.
final class CountingSource: BodySource {
  private var left: Int
  private let size: Int
  private let fails: Bool
  private let pauses: Bool
  private let never: Bool
  private var paused = false

  init(
    _ count: Int, of size: Int, fails: Bool = false, pauses: Bool = false, never: Bool = false
  ) {
    self.never = never
    left = count
    self.size = size
    self.fails = fails
    self.pauses = pauses
  }

  override func next() -> BodyPiece {
    if never { return .pending }
    if left == 0 { return fails ? .failed : .end }
    if pauses, !paused {
      paused = true
      waker?.wake()
      return .pending
    }
    paused = false
    left -= 1
    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: 0x61 + left % 26), count: size)
    return .bytes(bytes, 0..<size)
  }
}

/// What the tests ask for: prepared, streamed, deferred and held answers.
final class PagesHandler: RequestHandler {
  static let segment: [UInt8] = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
  static let modified = HTTPDate(seconds: 784_111_777)
  private var table = PathTable<PreparedResponse>()
  var held: [HeldRequest] = []

  override init() {
    super.init()
    table.set(
      "/segment.ts",
      PreparedResponse(
        fields: [("content-type", "video/mp2t")], body: Self.segment, entityTag: "seg",
        lastModified: Self.modified))
    table.set(
      "/digits",
      PreparedResponse(
        fields: [("content-type", "text/plain")], body: Array("0123456789".utf8),
        entityTag: "ten", lastModified: Self.modified))
    table.set(
      "/list.m3u8",
      PreparedResponse(
        fields: [("content-type", "application/vnd.apple.mpegurl")],
        body: Array("#EXTM3U".utf8), gzipped: Array("gzip".utf8), entityTag: "list"))
    table.set("/healthz", PreparedResponse(fields: [], body: Array("ok\n".utf8)))
  }

  override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    if let prepared = table.value(for: request) { return .prepared(prepared) }
    if request.pathIs("/echo") {
      return .deferred(
        APICall(bodyLimit: 100_000) { request in
          var response = HTTPResponse(status: .ok)
          response.headerFields[.contentType] = "text/plain"
          return APIResponse(response, body: request.body)
        })
    }
    if request.pathIs("/stream") {
      let count = request.queryInteger("count") ?? 3
      let size = request.queryInteger("size") ?? 10
      let source = CountingSource(
        count, of: size, fails: request.queryValue("fails") != nil,
        pauses: request.queryValue("pauses") != nil,
        never: request.queryValue("never") != nil)
      let known = request.queryValue("known") != nil
      return .streamed(
        StreamedResponse(
          status: 200, fields: [("content-type", "text/plain")],
          contentLength: known ? count * size : nil, source: source))
    }
    if request.pathIs("/head") {
      let (count, size) = (request.queryInteger("count") ?? 1, request.queryInteger("size") ?? 10)
      return .prepared(
        PreparedResponse(
          fields: (0..<count).map { ("x-\($0)", String(repeating: "v", count: size)) },
          body: Array("body".utf8)))
    }
    if request.pathIs("/hold") {
      let otherwise = PreparedResponse.error(503, code: "timeout", message: "Nothing came.")
      let milliseconds = request.queryInteger("ms") ?? 60_000
      guard
        let token = exchange.hold(
          request, for: .milliseconds(milliseconds), otherwise: otherwise)
      else { return .error(503, code: "busy", message: "Too many wait.") }
      held.append(token)
      return .held(token)
    }
    if request.pathIs("/client") {
      return .prepared(
        PreparedResponse(fields: [], body: Array("\(exchange.client)".utf8)))
    }
    return super.handle(request, exchange)
  }
}
