package import HTTPSemantics

/// The plain HTTP listener's handler: health checks and ACME challenges are answered by another
/// handler, everything else is sent to the same address over HTTPS.
package final class RedirectHandler: RequestHandler {
  private let inner: RequestHandler
  private let port: UInt16

  /// Makes one.
  ///
  /// - Parameters:
  ///   - inner: answers `/healthz`, `/readyz` and `/.well-known/acme-challenge/`.
  ///   - port: where the HTTPS listener is reached; 443 is left out of the address.
  package init(_ inner: RequestHandler, httpsPort port: UInt16 = 443) {
    self.inner = inner
    self.port = port
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    if request.pathIs("/healthz") || request.pathIs("/readyz")
      || request.pathStarts(with: "/.well-known/acme-challenge/")
    {
      return inner.handle(request, exchange)
    }
    let host = Authority.host(request.authority)
    guard !host.isEmpty else {
      return .error(400, code: "bad_request", message: "The request names no host.")
    }
    let place = port == 443 ? host : "\(host):\(port)"
    return .prepared(
      PreparedResponse(
        status: 308,
        fields: [
          ("location", "https://\(place)\(request.target)"),
          // A query may hold a token, which no cache is to keep.
          ("cache-control", request.hasQuery ? "no-store" : "max-age=3600"),
        ], body: []))
  }
}
