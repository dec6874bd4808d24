package import HTTPServer
package import HTTPTypes
package import EventLoop

/// Calls of the API that an edge hands on: whose they are, as the edge says with the cluster's pass.
///
/// Without it an origin would take all viewers of an edge for one, and refuse them for asking too much.
package enum PeerCall {
  private static let client = HTTPField.Name("Wedlive-Client")
  private static let pass = HTTPField.Name("Wedlive-Pass")

  /// Says whose a request is; what the client itself says of that is overwritten.
  ///
  /// - Parameters:
  ///   - request: on its way to an origin.
  ///   - address: of the client.
  ///   - pass: of the cluster.
  package static func mark(
    _ request: inout HTTPRequest, from address: SocketAddress, with pass: PeerPass
  ) {
    guard let clientName = client, let passName = Self.pass else { return }
    request.headerFields[clientName] = address.host
    request.headerFields[passName] = pass.token
  }

  /// The API for clients of this node and for those of its edges.
  ///
  /// - Parameters:
  ///   - pass: of the cluster; nil: nobody is believed.
  ///   - needsCertificate: whether nodes are believed alone where they show certificates.
  ///   - call: answers.
  /// - Returns: the same with the client that an edge names.
  package static func believing(
    _ pass: PeerPass?, needsCertificate: Bool = false, _ call: APICall
  ) -> APICall {
    guard let pass, let clientName = client, let passName = Self.pass else { return call }
    return APICall(bodyLimit: call.bodyLimit) { request in
      var request = request
      let shown = request.request.headerFields[passName]
      if let shown, pass.fits(shown), request.isFromPeer || !needsCertificate,
        let host = request.request.headerFields[clientName],
        let address = SocketAddress(host: host, port: 0)
      {
        request.client = address
      }
      request.request.headerFields[passName] = nil
      request.request.headerFields[clientName] = nil
      return await call.handler(request)
    }
  }
}
