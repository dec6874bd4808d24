package import HTTPServer
package import HTTPTypes
package import EventLoop
import Telemetry

/// Calls of the API that an edge hands on: whose they are, as the edge proves with the cluster's
/// pass.
///
/// Without it an origin would take all viewers of an edge for one, and refuse them for asking too
/// much. The pass itself opens more than that and stays at home: what travels is good for one
/// client's address, and for a minute.
package enum PeerCall {
  private static let client = HTTPField.Name("Wedlive-Client")
  private static let proof = HTTPField.Name("Wedlive-Proof")
  private static let sites = HTTPField.Name("Wedlive-Sites")
  /// How old a proof may be, or how far ahead of this node's clock, in seconds.
  private static let tolerance: Int64 = 60

  /// Says whose a request is; what the client itself says of that is overwritten.
  ///
  /// - Parameters:
  ///   - request: on its way to an origin.
  ///   - address: of the client.
  ///   - pass: of the cluster.
  ///   - now: in seconds of Unix time.
  package static func mark(
    _ request: inout HTTPRequest, from address: SocketAddress, with pass: PeerPass,
    now: Int64 = unixSeconds
  ) {
    guard let clientName = client, let proofName = proof else { return }
    let host = address.host
    request.headerFields[clientName] = host
    request.headerFields[proofName] = "\(now).\(pass.proof(of: words(host, now)))"
  }

  /// Says where an edge has publishers and viewers sent, for what an origin answers them; what the
  /// client itself says of that is overwritten.
  ///
  /// - Parameters:
  ///   - request: on its way to an origin.
  ///   - text: the addresses; a line.
  ///   - pass: of the cluster.
  package static func mark(_ request: inout HTTPRequest, sites text: String, with pass: PeerPass) {
    guard let name = sites else { return }
    request.headerFields[name] = "\(pass.proof(of: words(text))) \(text)"
  }

  /// Where an edge has publishers and viewers sent.
  ///
  /// - Parameter request: as it comes out of `believing`.
  /// - Returns: the addresses; nil where no edge has handed the request on.
  package static func sites(of request: HTTPRequest) -> String? {
    sites.flatMap { request.headerFields[$0] }
  }

  private static func words(_ sites: String) -> String { "sites \(sites)" }

  /// The addresses that a node of the cluster has told; nil where that is not proved.
  private static func provedSites(_ request: HTTPRequest, _ pass: PeerPass) -> String? {
    guard let shown = sites.flatMap({ request.headerFields[$0] }) else { return nil }
    let parts = shown.split(separator: " ", maxSplits: 1).map(String.init)
    guard parts.count == 2, pass.fits(parts[0], of: words(parts[1])) else { return nil }
    return parts[1]
  }

  /// The system's clock, in seconds of Unix time.
  package static var unixSeconds: Int64 { LogTime.now.milliseconds / 1_000 }

  /// What is proved.
  private static func words(_ host: String, _ second: Int64) -> String {
    "call for \(host) at \(second)"
  }

  private static func isProved(
    _ shown: String, _ host: String, _ pass: PeerPass, now: Int64
  ) -> Bool {
    let parts = shown.split(separator: ".", maxSplits: 1)
    guard parts.count == 2, let second = Int64(parts[0]),
      (now - tolerance...now + tolerance).contains(second)
    else { return false }
    return pass.fits(String(parts[1]), of: words(host, second))
  }

  /// The API for clients of this node and for those of its edges.
  ///
  /// - Parameters:
  ///   - pass: of the cluster; nil: nobody is believed.
  ///   - needsCertificate: whether nodes are believed alone where they show certificates.
  ///   - clock: tells seconds of Unix time.
  ///   - call: answers.
  /// - Returns: the same with the client that an edge names, and the addresses that it tells.
  package static func believing(
    _ pass: PeerPass?, needsCertificate: Bool = false,
    clock: @escaping @Sendable () -> Int64 = { unixSeconds }, _ call: APICall
  ) -> APICall {
    guard let clientName = client, let proofName = proof, let sitesName = sites else { return call }
    return APICall(bodyLimit: call.bodyLimit) { request in
      var request = request
      let mayBeBelieved = request.isFromPeer || !needsCertificate
      if mayBeBelieved, let pass, let host = request.request.headerFields[clientName],
        let shown = request.request.headerFields[proofName],
        isProved(shown, host, pass, now: clock()),
        let address = SocketAddress(host: host, port: 0)
      {
        request.client = address
      }
      let told = mayBeBelieved ? pass.flatMap { provedSites(request.request, $0) } : nil
      request.request.headerFields[sitesName] = told
      request.request.headerFields[proofName] = nil
      request.request.headerFields[clientName] = nil
      return await call.handler(request)
    }
  }
}
