package import HTTPTypes

/// What a request says to caches.
package struct RequestDirectives: Equatable, Sendable {
  package var directives: CacheDirectives
  /// Only where there is no `Cache-Control` (RFC 9111, 5.4).
  package var saysPragmaNoCache: Bool

  package init(_ fields: HTTPFields = HTTPFields()) {
    directives = CacheDirectives(fields)
    saysPragmaNoCache = !fields.contains(.cacheControl) && fields.sayPragmaNoCache
  }
}

extension HTTPFields {
  /// Whether they have HTTP/1.0's word for it (RFC 9111, 5.4).
  var sayPragmaNoCache: Bool {
    self[values: .pragma].contains { value in
      value.split(separator: ",").contains { $0.trimmingBlanks().lowercased() == "no-cache" }
    }
  }
}
