package import HTTPSemantics
package import HTTPServer
import Synchronization

/// Whether the node takes new work and all of it is well, and if not, why: what load balancers ask.
package final class Health: Sendable {
  private struct Reason {
    let words: String
    let detail: String?

    init?(_ words: String?, _ detail: String?) {
      guard let words else { return nil }
      self.words = words
      self.detail = detail
    }

    var all: String { detail.map { "\(words) (\($0))" } ?? words }
  }

  private struct State {
    var unready: String? = "the node is starting"
    var isLeaving = false
    var fault: String?
    var waiting: Reason?
    var remarks: [Subject: Reason] = [:]

    /// All remarks as one; nil: there is none.
    func remark(_ words: (Reason) -> String) -> String? {
      let all = remarks.sorted { $0.key.rawValue < $1.key.rawValue }.map { words($0.value) }
      return all.isEmpty ? nil : all.joined(separator: "; ")
    }
  }

  /// What a remark is about; there is one of each at a time.
  package enum Subject: Int, Sendable { case origins, dataFolder }

  private let state = Mutex(State())
  private let alive: PreparedResponse
  private let ailing: PreparedResponse
  private let leaving: PreparedResponse
  private let changed = Mutex<(@Sendable () -> Void)?>(nil)

  /// Makes the health of a node that is starting.
  ///
  /// - Parameters:
  ///   - fields: that its answers to `/healthz` have besides.
  ///   - fault: those that they have while something fails.
  ///   - more: those that they have once the node leaves what it has to others.
  package init(
    _ fields: [(name: String, value: String)] = [],
    failing fault: [(name: String, value: String)] = [],
    leaving more: [(name: String, value: String)] = []
  ) {
    alive = PreparedResponse(fields: Self.fields + fields, body: Array("ok\n".utf8))
    ailing = PreparedResponse(fields: Self.fields + fields + fault, body: Array("ok\n".utf8))
    leaving = PreparedResponse(fields: Self.fields + fields + more, body: Array("ok\n".utf8))
  }

  /// Takes new work from now on, or (with a reason) no more.
  package func set(unready reason: String?) { state.withLock { $0.unready = reason } }

  /// The node takes no more, and is gone once others have what it had.
  package func leave(_ reason: String) {
    state.withLock { state in
      state.unready = reason
      state.isLeaving = true
    }
  }

  /// Notes what fails while streams go on, or (with nil) that it works again: others are to be
  /// preferred to this node, but who comes here is served.
  ///
  /// - Parameter fault: a sentence without its full stop.
  package func set(fault: String?) {
    state.withLock { $0.fault = fault }
    tell()
  }

  /// Notes what the node has yet to learn before anybody should be sent to it; nil: nothing any
  /// more.
  ///
  /// - Parameters:
  ///   - reason: a sentence without its full stop.
  ///   - detail: what is for the operator alone, as `/readyz` is on public ports, too: such as
  ///     addresses.
  package func set(waiting reason: String?, detail: String? = nil) {
    state.withLock { $0.waiting = Reason(reason, detail) }
  }

  /// Notes what whoever asks should know though the node is ready; nil: nothing any more.
  ///
  /// - Parameters:
  ///   - remark: a sentence without its full stop.
  ///   - detail: what is for the operator alone.
  ///   - subject: what it is about.
  package func set(
    remark: String?, detail: String? = nil, about subject: Subject = .origins
  ) {
    state.withLock { $0.remarks[subject] = Reason(remark, detail) }
    tell()
  }

  /// Calls somebody now, and whenever `fault` or `remark` may have changed; there is one who hears.
  package func observe(_ change: @escaping @Sendable () -> Void) {
    changed.withLock { $0 = change }
    change()
  }

  private func tell() { changed.withLock { $0 }?() }

  /// What fails while streams go on; nil: nothing.
  package var fault: String? { state.withLock { $0.fault } }

  /// What should be known though the node is ready, for the operator; nil: nothing.
  package var remark: String? { state.withLock { $0.remark(\.all) } }

  /// Why the node isn't ready, or what should be known though it is, for the operator; nil: all is
  /// well.
  package var words: String? {
    let state = state.withLock { $0 }
    return state.unready ?? state.waiting?.all ?? state.fault ?? state.remark(\.all)
  }

  /// Whether publishers are taken; also where something fails that they can do without.
  package var takesPublishers: Bool { state.withLock { $0.unready == nil } }

  package var isReady: Bool {
    state.withLock { $0.unready == nil && $0.fault == nil && $0.waiting == nil }
  }

  /// The answer to `/readyz`: 200, with a remark where there is one, or 503 with the reason.
  package var readiness: PreparedResponse {
    let state = state.withLock { $0 }
    if let reason = state.unready ?? state.waiting?.words {
      return .error(503, code: "not_ready", message: "This node takes no new work: \(reason).")
    }
    guard let fault = state.fault else {
      guard let remark = state.remark(\.words) else { return Self.ready }
      return PreparedResponse(fields: Self.fields, body: Array("ready: \(remark)\n".utf8))
    }
    return .error(503, code: "not_ready", message: "\(fault). Streams go on.")
  }

  /// The answer to `/healthz` and `/readyz`, which every port of a node has; nil for all else.
  package func answer(_ request: borrowing Request) -> Response? {
    let isAlive = request.pathIs("/healthz")
    guard isAlive || request.pathIs("/readyz") else { return nil }
    if let answer = ReadOnly.answer(request.method) { return answer }
    guard isAlive else { return .prepared(readiness) }
    return .prepared(
      state.withLock { $0.isLeaving ? leaving : $0.fault == nil ? alive : ailing })
  }

  private static let fields = [
    (name: "content-type", value: "text/plain; charset=utf-8"),
    (name: "cache-control", value: "no-store"),
  ]
  private static let ready = PreparedResponse(fields: fields, body: Array("ready\n".utf8))
}
