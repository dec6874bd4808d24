package import HTTPTypes

/// What a response says to this cache: in `CDN-Cache-Control`, else in `Cache-Control`.
///
/// The targeted field, where it says anything and is well-formed, stands for `Cache-Control` and
/// `Expires` together (RFC 9213, 2.2).
package struct ResponseDirectives: Equatable, Sendable {
  package var directives: CacheDirectives
  /// Whether they are the targeted field's.
  package var isTargeted: Bool

  package init(_ fields: HTTPFields) {
    let targeted = fields[values: .cdnCacheControl]
    if !targeted.isEmpty,
      let dictionary = StructuredDictionary(Array(targeted.joined(separator: ",").utf8)),
      !dictionary.members.isEmpty
    {
      var directives = CacheDirectives()
      for (key, value) in dictionary.members {
        switch value {
        case .integer(let number):
          directives.note(key, number < 0 ? Array("-".utf8) : Array("\(number)".utf8))
        case .isTrue: directives.note(key, nil)
        case .other: break
        }
      }
      self.directives = directives
      isTargeted = true
    } else {
      directives = CacheDirectives(fields)
      isTargeted = false
      // HTTP/1.0 knows no other word for it; where there are others, they count (5.4).
      if directives.isEmpty, fields.sayPragmaNoCache {
        directives.noCache = true
      }
    }
  }
}
