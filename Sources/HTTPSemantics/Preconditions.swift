/// What the conditional fields of a request allow (RFC 9110, 13).
package enum Precondition: Equatable, Sendable {
  case proceed
  /// 304 for GET and HEAD.
  case notModified
  /// 412.
  case failed
}

/// What identifies a representation: the validators that conditional requests compare.
package struct Validators: Equatable, Sendable {
  /// The entity tag with its quotes, and `W/` before them when it is weak; empty when there is
  /// none.
  package var entityTag: [UInt8]
  package var lastModified: HTTPDate?

  package init(entityTag: [UInt8] = [], lastModified: HTTPDate? = nil) {
    self.entityTag = entityTag
    self.lastModified = lastModified
  }

  /// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in the order of
  /// RFC 9110 13.2.2, for a representation that exists.
  package func evaluate(_ request: borrowing Request) -> Precondition {
    if request.has(.ifMatch) {
      if !matches(request, .ifMatch, strong: true) { return .failed }
    } else if let lastModified, let date = request.date(.ifUnmodifiedSince), lastModified > date {
      return .failed
    }
    if request.has(.ifNoneMatch) {
      if matches(request, .ifNoneMatch, strong: false) {
        return request.method.isRetrieval ? .notModified : .failed
      }
    } else if request.method.isRetrieval, let lastModified,
      let date = request.date(.ifModifiedSince), lastModified <= date
    {
      return .notModified
    }
    return .proceed
  }

  /// What the Range field asks for, once If-Range has been honoured.
  package func range(_ request: borrowing Request, length: Int) -> RangeRequest {
    guard request.method == .get, request.count(of: .range) == 1 else { return .whole }
    if request.has(.ifRange), !ifRangeHolds(request) { return .whole }
    return request.withValue(.range) { RangeRequest($0, length: length) } ?? .whole
  }

  /// A strong entity tag that is the same, or the very date of the last change.
  private func ifRangeHolds(_ request: borrowing Request) -> Bool {
    request.withValue(.ifRange) { value in
      if value.count > 0, value[value.count - 1] == 0x22 {
        return sameTag(value, strong: true)
      }
      guard let lastModified, let date = HTTPDate(value) else { return false }
      return lastModified == date
    } ?? false
  }

  private func matches(
    _ request: borrowing Request, _ name: FieldName, strong: Bool
  ) -> Bool {
    var found = false
    request.forEachValue(name) { value in
      if value.matches("*") {
        found = true
        return false
      }
      forEachListElement(value) { element in
        if sameTag(value.extracting(element), strong: strong) { found = true }
      }
      return !found
    }
    return found
  }

  /// Compares as RFC 9110 8.8.3.2: strongly both must be strong, weakly `W/` does not count.
  private func sameTag(_ other: borrowing Span<UInt8>, strong: Bool) -> Bool {
    let own = entityTag.span
    let ownWeak = own.count > 2 && own[0] == 0x57
    let otherWeak = other.count > 2 && other[0] == 0x57
    if strong, ownWeak || otherWeak { return false }
    let ownStart = ownWeak ? 2 : 0
    let otherStart = otherWeak ? 2 : 0
    let count = own.count - ownStart
    guard count >= 2, other.count - otherStart == count else { return false }
    for index in 0..<count where own[ownStart + index] != other[otherStart + index] {
      return false
    }
    return true
  }
}

extension Request {
  /// The value of a date field; `nil` without one, or when it is no date (it is then ignored).
  package func date(_ name: FieldName) -> HTTPDate? {
    withValue(name) { HTTPDate($0) } ?? nil
  }
}
