import EventLoop
import Telemetry
package import HTTPSemantics
package import HTTPTypes

/// A request that is not answered yet: its body is collected, its handler runs, or it is held.
final class PendingRequest {
  enum State {
    case collecting(APICall, APIRequest)
    case running(Task<Void, Never>)
    case held(HeldRequest)
  }

  var state: State
  let isHead: Bool
  let startedAt: MonotonicTime
  /// Counts the body of its answer.
  let tally: Tally?

  init(_ state: State, isHead: Bool, at now: MonotonicTime, tally: Tally? = nil) {
    self.tally = tally
    self.state = state
    self.isHead = isHead
    startedAt = now
  }

  var isCollecting: Bool {
    if case .collecting = state { true } else { false }
  }

  /// Whether its handler is making the answer.
  var isRunning: Bool {
    if case .running = state { true } else { false }
  }

  /// The client has gone.
  func cancel(_ server: LoopServer) {
    switch state {
    case .collecting: break
    case .running(let task): task.cancel()
    case .held(let token): server.forget(token)
    }
  }
}

extension HTTPRequest {
  /// Copies a request's head; fields whose names are not valid are left out.
  package init(copying request: borrowing Request, isSecure: Bool) {
    let method = HTTPRequest.Method(request.methodName) ?? .get
    var fields = HTTPFields()
    request.forEachField { name, value in
      if let name = HTTPField.Name(String(copying: name)) {
        fields.append(HTTPField(name: name, value: FieldText.text(value)))
      }
    }
    self.init(
      method: method, scheme: isSecure ? "https" : "http", authority: request.authority,
      path: request.target, headerFields: fields)
  }
}
