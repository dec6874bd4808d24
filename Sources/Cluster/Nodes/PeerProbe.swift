package import HTTPClient
import HTTPTypes

/// How a node finds out whether another one answers.
package struct PeerProbe: Sendable {
  /// What comes of asking one.
  package enum Answer: Equatable, Sendable {
    /// It answers as itself.
    case well
    /// The same, and it says that something fails.
    case ailing
    /// It answers as itself, and says that it will be gone.
    case leaving
    /// It doesn't, within the deadline: why, in words for a person.
    case none(String)

    /// Why it doesn't answer; nil where it does.
    package var cause: String? { if case .none(let words) = self { words } else { nil } }
  }

  package let check: @Sendable (NodeRecord, _ deadline: Duration) async -> Answer

  package init(check: @escaping @Sendable (NodeRecord, _ deadline: Duration) async -> Answer) {
    self.check = check
  }

  /// Which node answers: what says that it is another one, or nothing, does not pass; an address
  /// may be somebody else's by now.
  package static let nodeHeader = "Wedlive-Node"
  /// Is there where it leaves what it has to others.
  package static let leavingHeader = "Wedlive-Leaving"
  /// Is there where something fails, and others are to be preferred.
  package static let ailingHeader = "Wedlive-Faulty"

  /// Asks `/healthz` at the address for other nodes.
  ///
  /// - Parameters:
  ///   - client: with the trust and certificate that nodes have among themselves.
  ///   - scheme: `https` where they do.
  /// - Returns: a probe that passes where 200 comes in time, from that node.
  package static func http(_ client: HTTPClient, scheme: String = "http") -> PeerProbe {
    PeerProbe { record, deadline in
      let request = HTTPRequest(
        method: .get, scheme: scheme, authority: record.addresses.http, path: "/healthz")
      do {
        let (response, _) = try await client.send(
          request, deadline: deadline, maxResponseBytes: 4_096)
        guard response.status == .ok else {
          return .none("\(record.addresses.http) answers \(response.status)")
        }
        let name = HTTPField.Name(nodeHeader).flatMap { response.headerFields[$0] }
        guard name == record.id.text else {
          let other = name.map { "the node \($0)" } ?? "no node"
          return .none("at \(record.addresses.http) is \(other)")
        }
        func says(_ name: String) -> Bool {
          HTTPField.Name(name).map { response.headerFields[$0] != nil } ?? false
        }
        if says(leavingHeader) { return .leaving }
        return says(ailingHeader) ? .ailing : .well
      } catch {
        // What else may be the matter, those keys have no part in.
        let isTrust = (error as? HTTPClientError)?.code == .tls
        let hint = isTrust ? " (cluster.ca, cluster.certificate)" : ""
        return .none("\(record.addresses.http): \(error)\(hint)")
      }
    }
  }
}
