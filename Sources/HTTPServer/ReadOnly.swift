package import HTTPSemantics

/// What addresses answer that can only be read: pages, metrics, health.
package enum ReadOnly {
  private static let wrongMethod = WrongMethod(allowed: .get, .head, .options)
  private static let options = PreparedResponse(
    status: 204, fields: [("allow", "GET, HEAD, OPTIONS")], body: [], allowsAnyOrigin: false)

  /// The answer to a request that doesn't read.
  ///
  /// - Parameter method: of the request, for something that there is.
  /// - Returns: nil for one that reads.
  package static func answer(_ method: Method) -> Response? {
    switch method {
    case .get, .head: nil
    case .options: .prepared(options)
    default: .prepared(wrongMethod.response(to: method))
    }
  }
}
