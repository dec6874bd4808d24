package import HTTPClient
import HTTPTypes
package import Telemetry

/// Asks and tells WedLive's backend about publishers and players, as nginx-rtmp does.
///
/// nginx-rtmp's rules: 2xx admits; 3xx with a name as its Location admits under that name; anything
/// else refuses. Redirects are not among them: where the Location is an address, nginx-rtmp relays
/// the stream from or to there, and this refuses.
/// But for 5xx: a backend that fails has decided nothing, as one that can't be reached.
/// Each call has a deadline, and each kind connections of its own, with at most `maxConcurrent`
/// calls under way: one that hangs costs those who wait for it their deadline. Players and notices,
/// however many, never hold up a publisher.
package final class BackendCallbacks: Sendable {
  /// Where and how a kind of call goes.
  package struct Configuration: Sendable {
    /// Addresses by kind; a kind without one is admitted and not told.
    package var addresses: [BackendCall.Kind: Address] = [:]
    /// The whole time for one question.
    package var deadline: Duration = .seconds(5)
    /// Whether a publisher is admitted when the backend can't be asked, or answers 5xx; false: fail
    /// closed.
    package var admitsPublishersInDoubt = false
    /// The same for players.
    package var admitsPlayersInDoubt = false

    package init() {}
  }

  /// An http or https address.
  package struct Address: Sendable, Equatable, CustomStringConvertible {
    package let scheme: String
    package let authority: String
    package let path: String

    /// Reads `http://backend:8000/api/streams/auth/publish`; nil for anything else.
    package init?(_ text: String) {
      guard let end = text.firstRange(of: "://") else { return nil }
      scheme = text[..<end.lowerBound].lowercased()
      let rest = text[end.upperBound...]
      let slash = rest.firstIndex(of: "/") ?? rest.endIndex
      authority = String(rest[..<slash])
      path = slash == rest.endIndex ? "/" : String(rest[slash...])
      guard scheme == "http" || scheme == "https", !authority.isEmpty else { return nil }
    }

    package var description: String { "\(scheme)://\(authority)\(path)" }
  }

  /// What the backend decided.
  package enum Answer: Sendable, Equatable {
    case admitted
    /// Admitted, but the stream is to be called this.
    case renamed(String)
    case refused(Refusal)
  }

  private static let maxResponseBytes = 64 << 10
  private let clients: [BackendCall.Kind: HTTPClient]
  private let configuration: Configuration
  private let metrics: MetricRegistry

  /// Makes the callbacks, and a client for each kind that has an address.
  ///
  /// - Parameters:
  ///   - configuration: addresses and rules.
  ///   - limits: of each kind's client.
  ///   - metrics: where the answers are counted.
  /// - Throws: where a client can't be made.
  package init(
    _ configuration: Configuration, limits: HTTPClientConfiguration = HTTPClientConfiguration(),
    metrics: MetricRegistry
  ) throws(HTTPClientError) {
    self.configuration = configuration
    var clients: [BackendCall.Kind: HTTPClient] = [:]
    for kind in configuration.addresses.keys { clients[kind] = try HTTPClient(limits) }
    self.clients = clients
    self.metrics = metrics
  }

  /// Whether a kind of call goes anywhere; when not, nobody need build one.
  package func isConfigured(_ kind: BackendCall.Kind) -> Bool {
    configuration.addresses[kind] != nil
  }

  /// Asks, or tells, and returns within the deadline.
  ///
  /// - Parameter call: of any kind; the answer to a notice is counted and changes nothing.
  /// - Returns: `.admitted` also for kinds that have no address.
  package func send(_ call: BackendCall) async -> Answer {
    guard let address = configuration.addresses[call.kind], let client = clients[call.kind]
    else { return .admitted }
    var request = HTTPRequest(
      method: .post, scheme: address.scheme, authority: address.authority, path: address.path)
    request.headerFields[.contentType] = "application/x-www-form-urlencoded"
    let answer: Answer
    do throws(HTTPClientError) {
      let (response, _) = try await client.send(
        request, body: call.form, deadline: configuration.deadline,
        maxResponseBytes: BackendCallbacks.maxResponseBytes)
      if (500..<600).contains(response.status.code) { return inDoubt(call.kind, "failed") }
      answer = BackendCallbacks.answer(response)
    } catch {
      return inDoubt(call.kind, error.code.rawValue)
    }
    count(call.kind, answer.word)
    return call.kind.decides ? answer : .admitted
  }

  private static func answer(_ response: HTTPResponse) -> Answer {
    switch response.status.code {
    case 200..<300: return .admitted
    case 300..<400:
      guard let location = response.headerFields[.location] else { break }
      if Claims.isName(location) { return .renamed(location) }
    default: break
    }
    return .refused(Refusal(.byBackend(status: response.status.code)))
  }

  /// What becomes of a client about whom the backend has decided nothing.
  private func inDoubt(_ kind: BackendCall.Kind, _ result: String) -> Answer {
    count(kind, result)
    return isAdmittedInDoubt(kind) ? .admitted : .refused(Refusal(.backendSilent))
  }

  private func isAdmittedInDoubt(_ kind: BackendCall.Kind) -> Bool {
    switch kind {
    case .publish: configuration.admitsPublishersInDoubt
    case .play: configuration.admitsPlayersInDoubt
    case .publishDone, .playDone: true
    }
  }

  private func count(_ kind: BackendCall.Kind, _ result: String) {
    metrics.counter(
      "wedlive_backend_calls_total", help: "Callbacks to the backend by how they ended.",
      labels: ["call": kind.rawValue, "result": result]
    ).increment()
  }
}

extension BackendCallbacks.Answer {
  fileprivate var word: String {
    switch self {
    case .admitted: "admitted"
    case .renamed: "renamed"
    case .refused: "refused"
    }
  }
}
