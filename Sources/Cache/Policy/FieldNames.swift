package import HTTPTypes

/// Fields that caches read and `HTTPTypes` has no name for.
extension HTTPField.Name {
  /// Directives for gateways like this one alone (RFC 9213).
  package static let cdnCacheControl = known("CDN-Cache-Control")
  /// What this cache did with a request (RFC 9211).
  package static let cacheStatus = known("Cache-Status")
  package static let xCacheStatus = known("X-Cache-Status")
  /// The names under which a response may be purged, separated by blanks.
  package static let surrogateKey = known("Surrogate-Key")
  /// The same, separated by commas.
  package static let cacheTag = known("Cache-Tag")
  package static let pragma = known("Pragma")
  static let keepAlive = known("Keep-Alive")
  static let proxyConnection = known("Proxy-Connection")
  static let proxyAuthenticate = known("Proxy-Authenticate")
  static let proxyAuthorization = known("Proxy-Authorization")
  static let proxyAuthenticationInfo = known("Proxy-Authentication-Info")
  static let te = known("TE")
  static let trailer = known("Trailer")
  static let upgrade = known("Upgrade")

  /// A name that is written in this file, so it is one.
  private static func known(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else {
      preconditionFailure("\(text) is no field name")
    }
    return name
  }
}
