import Cache
import HTTPSemantics
import HTTPTypes

/// The fields of responses that an edge hands on.
enum EdgeFields {
  /// What a response says by itself, as the cache keeps it.
  ///
  /// - Parameters:
  ///   - response: as it came.
  ///   - now: stands for a date that it doesn't say (RFC 9110, 6.6.1).
  /// - Returns: without the fields of a connection, and without Strict-Transport-Security: that is
  ///   for the name by which viewers ask, and this node's to say.
  static func kept(_ response: HTTPResponse, at now: Int64) -> HTTPResponse {
    var kept = response
    kept.headerFields = response.headerFields.withoutConnectionFields
    kept.headerFields[.strictTransportSecurity] = nil
    if !kept.headerFields.contains(.date) {
      kept.headerFields[.date] = String(decoding: HTTPDate(seconds: now).bytes, as: UTF8.self)
    }
    return kept
  }

  /// As they are sent, but for Content-Length.
  ///
  /// - Parameters:
  ///   - fields: as they are kept.
  ///   - age: nil where the response is new.
  ///   - outcome: what the cache did.
  ///   - cache: its name.
  /// - Returns: names and values in order.
  static func list(
    _ fields: HTTPFields, age: Int64?, _ outcome: CacheOutcome, of cache: String
  ) -> [(name: String, value: String)] {
    var list: [(name: String, value: String)] = []
    // What was kept on a disk before may still say this.
    let left: [HTTPField.Name] = [.contentLength, .age, .xCacheStatus, .strictTransportSecurity]
    for field in fields where !left.contains(field.name) {
      list.append((field.name.canonicalName, field.value))
    }
    if let age { list.append(("age", "\(age)")) }
    list.append(("x-cache-status", outcome.word))
    list.append(("cache-status", outcome.status(of: cache)))
    return list
  }

  static func validators(_ fields: HTTPFields) -> Validators {
    let date = fields[.lastModified].flatMap { text in
      let bytes = Array(text.utf8)
      return HTTPDate(bytes.span)
    }
    return Validators(entityTag: FieldText.bytes(fields[.eTag] ?? ""), lastModified: date)
  }

  /// What the origin is asked with, of what the client asked with.
  ///
  /// Its Host is the name by which the answer is kept, and nothing else that a client may say:
  /// else one client could have another host's answer kept for all. Without a name it is the
  /// origin's own.
  ///
  /// - Parameters:
  ///   - request: the client's.
  ///   - isShared: whether the answer may be for others, too: then it is asked for whole, and
  ///     without the client's conditions.
  /// - Returns: without the fields of a connection, and for others without what stands for another
  ///   host, path, scheme or method.
  static func asked(_ request: HTTPRequest, isShared: Bool) -> HTTPFields {
    var asked = request.headerFields.withoutConnectionFields
    asked[.contentLength] = nil
    let host = request.authority ?? ""
    asked[.viewersHost] = host.isEmpty ? nil : host.lowercased()
    // The body is here, or there is none.
    asked[.expect] = nil
    guard isShared else { return asked }
    for name in [
      HTTPField.Name.ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .ifRange, .range,
    ] {
      asked[name] = nil
    }
    for name in overrides { asked[name] = nil }
    return asked
  }

  /// By which a client names another host, path, scheme or method than it asks for: an origin that
  /// believes them would answer something else, which is kept for all.
  private static let overrides = [
    "Forwarded", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Proto",
    "X-Forwarded-Scheme", "X-Forwarded-Server", "X-Host", "X-HTTP-Method", "X-HTTP-Method-Override",
    "X-Method-Override", "X-Original-Host", "X-Original-URL", "X-Rewrite-URL",
  ].compactMap { HTTPField.Name($0) }
}

extension HTTPField.Name {
  /// `Host`, for which `HTTPTypes` has the authority: here that is an upstream's address.
  static let viewersHost: HTTPField.Name = {
    guard let name = HTTPField.Name("Host") else { preconditionFailure("Host is no field name") }
    return name
  }()
}
