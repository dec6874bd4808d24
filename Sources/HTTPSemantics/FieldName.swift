/// The request fields that the server looks up by index instead of by name.
package enum FieldName: UInt8, CaseIterable, Sendable {
  case accept, acceptEncoding, accessControlRequestMethod, authorization, cacheControl, connection
  case contentLength, contentType, cookie, expect, host, ifMatch, ifModifiedSince, ifNoneMatch
  case ifRange, ifUnmodifiedSince, origin, pragma, range, referer, transferEncoding, upgrade,
    userAgent
  case xForwardedFor, xForwardedProto

  /// Finds a name that is already in lower case; `nil` for a field nobody looks up by index.
  package init?(_ name: borrowing Span<UInt8>) {
    switch name.count {
    case 4 where name.matches("host"): self = .host
    case 5 where name.matches("range"): self = .range
    case 6:
      if name.matches("cookie") {
        self = .cookie
      } else if name.matches("accept") {
        self = .accept
      } else if name.matches("origin") {
        self = .origin
      } else if name.matches("expect") {
        self = .expect
      } else if name.matches("pragma") {
        self = .pragma
      } else {
        return nil
      }
    case 7:
      if name.matches("referer") {
        self = .referer
      } else if name.matches("upgrade") {
        self = .upgrade
      } else {
        return nil
      }
    case 8:
      if name.matches("if-range") {
        self = .ifRange
      } else if name.matches("if-match") {
        self = .ifMatch
      } else {
        return nil
      }
    case 10:
      if name.matches("user-agent") {
        self = .userAgent
      } else if name.matches("connection") {
        self = .connection
      } else {
        return nil
      }
    case 12 where name.matches("content-type"): self = .contentType
    case 13:
      if name.matches("authorization") {
        self = .authorization
      } else if name.matches("if-none-match") {
        self = .ifNoneMatch
      } else if name.matches("cache-control") {
        self = .cacheControl
      } else {
        return nil
      }
    case 14 where name.matches("content-length"): self = .contentLength
    case 15:
      if name.matches("accept-encoding") {
        self = .acceptEncoding
      } else if name.matches("x-forwarded-for") {
        self = .xForwardedFor
      } else {
        return nil
      }
    case 17:
      if name.matches("if-modified-since") {
        self = .ifModifiedSince
      } else if name.matches("transfer-encoding") {
        self = .transferEncoding
      } else if name.matches("x-forwarded-proto") {
        self = .xForwardedProto
      } else {
        return nil
      }
    case 19 where name.matches("if-unmodified-since"): self = .ifUnmodifiedSince
    case 29 where name.matches("access-control-request-method"):
      self = .accessControlRequestMethod
    default: return nil
    }
  }
}
