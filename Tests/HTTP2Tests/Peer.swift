import Bytes
import HTTP2
import HTTPSemantics
import Testing

/// A session and an owner that notes what happens and answers by path.
final class Peer: HTTP2SessionOwner {
  private(set) var session: HTTP2Session?
  var requests: [String] = []
  var errors: [RequestError] = []
  var bodies: [Int32: [UInt8]] = [:]
  var ended: [Int32] = []
  var closedStreams: [Int32] = []
  var pieces: [Int32: [HTTP2Piece]] = [:]
  var answers: [String: [UInt8]] = [:]
  var answersByItself = true
  /// Whether a request with a body is answered before the body has come.
  var answersEarly = false
  var output: [UInt8] = []
  var records: [Int] = []
  let common = HeaderBlock(status: 0, fields: [("server", "test")])
  var head = HeaderBlock(status: 200, fields: [("content-type", "text/plain")])

  init(_ workspace: HTTP2Workspace) throws {
    session = HTTP2Session(owner: self, workspace: workspace)
    _ = try #require(session)
  }

  static func workspace(_ change: (inout HTTP2Limits) -> Void = { _ in }) throws -> HTTP2Workspace {
    var limits = HTTP2Limits()
    change(&limits)
    return try #require(HTTP2Workspace(limits: limits))
  }

  /// Ends the session, as a closed connection does.
  func end() { session = nil }

  @discardableResult
  func receive(_ bytes: [UInt8], at milliseconds: UInt64 = 0) -> HTTP2Violation? {
    session?.receive(bytes.span, at: milliseconds)
  }

  /// Takes what the session has to send, at most `most` records.
  func produce(_ most: Int = .max) {
    var left = most
    while left > 0, let session {
      let count = session.produce { head, body in
        output.append(copying: head)
        output.append(copying: body)
      }
      if count == 0 { return }
      records.append(count)
      left -= 1
    }
  }

  /// The frames sent so far.
  var frames: [ReceivedFrame] { ReceivedFrame.all(output) }

  /// What came as DATA on a stream.
  func data(_ stream: Int32) -> [UInt8] {
    frames.filter { $0.type == 0 && $0.stream == stream }.flatMap(\.payload)
  }

  func received(
    _ request: borrowing Request, error: RequestError?, on stream: Int32, hasBody: Bool
  ) {
    if let error { return errors.append(error) }
    requests.append("\(request.methodName) \(request.target)")
    guard answersByItself, !hasBody || answersEarly else { return }
    answer(request.path, stream)
  }

  private func answer(_ path: String, _ stream: Int32) {
    if pieces[stream] != nil {
      _ = session?.respondStreaming(stream, head: head, common: common)
    } else {
      let body = answers[path] ?? Array("none".utf8)
      session?.respond(stream, head: head, common: common, body: body, range: 0..<body.count)
    }
  }

  func receivedBody(_ bytes: borrowing Span<UInt8>, on stream: Int32) {
    bodies[stream, default: []].append(copying: bytes)
  }

  func endedBody(on stream: Int32) {
    ended.append(stream)
    if answersByItself { answer("/", stream) }
  }

  func nextPiece(of stream: Int32) -> HTTP2Piece {
    guard let first = pieces[stream]?.first else { return .end }
    pieces[stream]?.removeFirst()
    return first
  }

  func closed(_ stream: Int32, complete: Bool) { closedStreams.append(stream) }
}
