package import HTTPTypes

/// Whether a response may be stored for others (RFC 9111, 3).
package enum Storability: Equatable, Sendable {
  case allowed
  case refused(Reason)

  /// Why not; a stable word.
  package enum Reason: String, Sendable {
    case method, status, partial, requestNoStore = "request_no_store", noStore = "no_store"
    case isPrivate = "private", authorization, noLifetime = "no_lifetime", varyAll = "vary_all"
    case setCookie = "set_cookie"
  }

  /// Decides.
  ///
  /// - Parameters:
  ///   - request: what was asked, as the client asked it.
  ///   - response: its final head.
  ///   - freshness: of the response.
  package init(_ request: HTTPRequest, _ response: HTTPResponse, _ freshness: Freshness) {
    let fields = response.headerFields
    let directives = ResponseDirectives(fields).directives
    let status = response.status.code
    guard request.method == .get else {
      self = .refused(.method)
      return
    }
    guard (200...599).contains(status), status != 304 else {
      self = .refused(.status)
      return
    }
    // A part of something is kept by slices alone.
    guard status != 206, status != 416 else {
      self = .refused(.partial)
      return
    }
    if directives.mustUnderstand {
      // It stands for no-store where the status is not known, and takes it back where it is
      // (5.2.2.3).
      guard CacheRules.isUnderstood(status) else {
        self = .refused(.status)
        return
      }
    } else if directives.noStore {
      self = .refused(.noStore)
      return
    }
    if directives.isPrivate {
      self = .refused(.isPrivate)
    } else if CacheDirectives(request.headerFields).noStore {
      self = .refused(.requestNoStore)
    } else if request.headerFields.contains(.authorization),
      !directives.isPublic, !directives.mustRevalidate, directives.sharedMaxAge == nil
    {
      self = .refused(.authorization)
    } else if VaryRule(fields) == nil {
      self = .refused(.varyAll)
    } else if !freshness.isExplicit, fields.contains(.setCookie) {
      // Nobody said that the cookie is for everybody.
      self = .refused(.setCookie)
    } else if !freshness.isExplicit, freshness.lifetime <= 0, !Self.hasValidator(fields) {
      self = .refused(.noLifetime)
    } else if !freshness.isExplicit, !directives.isPublic,
      !CacheRules.isHeuristicallyCacheable(status)
    {
      self = .refused(.noLifetime)
    } else {
      self = .allowed
    }
  }

  private static func hasValidator(_ fields: HTTPFields) -> Bool {
    fields.contains(.eTag) || fields.contains(.lastModified)
  }
}
