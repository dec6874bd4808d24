import HTTPClient
import HTTPTypes

extension HTTPClient {
  /// Asks an upstream for what an order is about, as patiently as that is.
  ///
  /// - Parameters:
  ///   - request: to the upstream.
  ///   - order: whose patience counts where it has some of its own.
  ///   - configuration: of the cache.
  ///   - receiver: gets the response.
  /// - Returns: the exchange.
  /// - Throws: where it can't begin; the receiver is not told then.
  func stream(
    _ request: HTTPRequest, for order: EdgeFetch.Order, _ configuration: EdgeConfiguration,
    to receiver: any ResponseReceiver
  ) throws(HTTPClientError) -> ResponseStream {
    try stream(
      request, headDeadline: order.patience ?? configuration.headTimeout,
      stall: order.patience ?? configuration.stallTimeout, to: receiver)
  }
}
