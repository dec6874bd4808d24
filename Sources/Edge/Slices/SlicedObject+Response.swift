import Cache
import HTTPSemantics
import HTTPTypes

extension SlicedObject {
  /// Reads the head of a whole, or of one of its slices.
  ///
  /// - Parameters:
  ///   - head: as it came, a 200 or the 206 of the slice that was asked for.
  ///   - reference: what it says of the whole.
  ///   - order: that it answers.
  ///   - store: names keys.
  ///   - slices: how it is cut.
  ///   - rules: how long it is taken to be fresh.
  ///   - requestedAt: when it was asked for, in seconds since 1970.
  ///   - now: when it came.
  ///   - wall: what dates are held against.
  /// - Returns: nil for what may not be kept, or whose parts can't be told from another version's.
  static func read(
    _ head: HTTPResponse, _ reference: SliceReference, of order: EdgeFetch.Order,
    in store: EdgeStore, _ slices: Slices, rules: CacheRules, requestedAt: Int64, now: Int64,
    wall: Int64
  ) -> SlicedObject? {
    guard reference.total <= mostBytes, isStrong(head.headerFields, at: wall) else { return nil }
    var whole = head
    whole.status = .ok
    whole.headerFields[.contentRange] = nil
    whole.headerFields[.contentLength] = nil
    whole.headerFields[.acceptRanges] = "bytes"
    let freshness = Freshness(
      whole, requestedAt: requestedAt, receivedAt: now, wall: wall, rules: rules)
    guard Storability(order.request, whole, freshness) == .allowed,
      let rule = VaryRule(whole.headerFields)
    else { return nil }
    let key =
      rule.isEmpty
      ? store.key(order.name) : store.key(order.name, rule, order.request.headerFields)
    return SlicedObject(
      order.name, key, EdgeFields.kept(whole, at: wall), reference, slices, freshness: freshness)
  }

  /// Longer ones aren't cut: all parts that a request may ask for, and what stands between them,
  /// can be added up.
  static var mostBytes: Int { 1 << 60 }

  /// What the head of a whole says; nil where slices of it couldn't be asked for.
  static func reference(ofWhole head: HTTPResponse) -> SliceReference? {
    let fields = head.headerFields
    guard head.status == .ok, let total = fields[.contentLength].flatMap({ Int($0) }),
      fields[.acceptRanges]?.lowercased() == "bytes"
    else { return nil }
    return SliceReference(
      total: total, entityTag: fields[.eTag], lastModified: fields[.lastModified])
  }

  /// Whether two responses with the same validator have the same bytes (RFC 9110, 8.8): a strong
  /// entity tag, or without any a date that was past when the response was made.
  private static func isStrong(_ fields: HTTPFields, at now: Int64) -> Bool {
    if let tag = fields[.eTag] {
      return tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.count > 1
    }
    guard let changed = fields.seconds(.lastModified) else { return false }
    return changed + settledSeconds <= fields.seconds(.date) ?? now
  }

  /// How long ago a change must be that could have been followed by another in the same second,
  /// clocks' differences counted.
  private static var settledSeconds: Int64 { 60 }

  /// Whether it is what a request gets: chosen by the same fields.
  func isFor(_ fields: HTTPFields, in store: EdgeStore) -> Bool {
    guard let rule = VaryRule(response.headerFields) else { return false }
    return rule.isEmpty || store.key(name, rule, fields) == key
  }
}

extension HTTPFields {
  /// A date's seconds since 1970.
  fileprivate func seconds(_ name: HTTPField.Name) -> Int64? {
    self[name].flatMap { text in
      let bytes = Array(text.utf8)
      return HTTPDate(bytes.span)?.seconds
    }
  }
}
