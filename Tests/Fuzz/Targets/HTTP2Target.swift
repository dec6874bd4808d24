import HTTP2
import HTTPSemantics

/// A connection's owner that answers everything at once.
private final class AnsweringOwner: HTTP2SessionOwner {
  var session: HTTP2Session?
  var finding: Finding?
  private var isBody: Set<Int32> = []
  private let common = HeaderBlock(status: 0, fields: [("server", "w")])
  private let head = HeaderBlock(status: 200, fields: [("content-type", "text/plain")])
  private let body = [UInt8](repeating: 0x61, count: 300)

  func received(
    _ request: borrowing Request, error: RequestError?, on stream: Int32, hasBody: Bool
  ) {
    if error == nil {
      do throws(Finding) { try inspectPath(request.path, of: request.method) } catch {
        finding = error
      }
      _ = request.authority
      _ = request.cookie("token")
    }
    if hasBody { isBody.insert(stream) }
    if stream % 8 == 1 {
      _ = session?.respondStreaming(stream, head: head, common: common)
    } else {
      session?.respond(stream, head: head, common: common, body: body, range: 0..<body.count)
    }
  }

  func receivedBody(_ bytes: borrowing Span<UInt8>, on stream: Int32) {
    if !isBody.contains(stream) { finding = Finding("a body nobody announced") }
  }

  func endedBody(on stream: Int32) { isBody.remove(stream) }

  func nextPiece(of stream: Int32) -> HTTP2Piece {
    stream % 16 == 1 ? .end : .bytes(body, 0..<body.count / 2)
  }

  func closed(_ stream: Int32, complete: Bool) { isBody.remove(stream) }
}

/// Frames of any kind after the preface: bounded streams, bounded answers, an orderly end.
func fuzzHTTP2(_ input: [UInt8]) throws(Finding) {
  var requests = RequestLimits()
  requests.targetBytes = 512
  requests.fieldBytes = 1024
  guard let workspace = HTTP2Workspace(requests: requests) else { throw Finding("no workspace") }
  let owner = AnsweringOwner()
  owner.session = HTTP2Session(owner: owner, workspace: workspace)
  defer { owner.session = nil }
  guard let session = owner.session else { throw Finding("no session") }
  let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
  let bytes = input.starts(with: preface.prefix(24)) ? input : preface + input
  var pieces = Pieces(for: bytes)
  for piece in pieces.ranges(of: bytes.count) {
    let part = Array(bytes[piece])
    let violation = session.receive(part.span, at: 0)
    if let finding = owner.finding { throw finding }
    try check(session.openStreams <= workspace.limits.concurrentStreams, "too many streams")
    if let violation {
      try check(session.goodbye(violation).count == 17, "a GOAWAY of another length")
      return
    }
    // A streamed body has no end of its own: a bounded part of it is sent each time.
    for _ in 0..<8 where session.produce({ _, _ in }) == 0 { break }
    if let finding = owner.finding { throw finding }
    if session.isFinished { return }
  }
}
