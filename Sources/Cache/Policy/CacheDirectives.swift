package import HTTPTypes

/// The directives of a `Cache-Control` field, of a request or a response (RFC 9111, 5.2).
///
/// A directive that comes twice counts as it stands first (4.2.1). One whose seconds can't be read
/// counts as 0 where that makes a response stale, as if it had never allowed anything.
package struct CacheDirectives: Equatable, Sendable {
  /// A number of seconds; those that don't fit are as long as can be said.
  package typealias Seconds = Int64

  /// What RFC 9111, 1.2.2 takes for "longer than anybody waits".
  package static let longest: Seconds = 2_147_483_648

  package var noStore = false
  /// Also where it names fields: nothing is served of such a response without asking.
  package var noCache = false
  /// Also where it names fields.
  package var isPrivate = false
  package var isPublic = false
  package var mustRevalidate = false
  package var proxyRevalidate = false
  package var mustUnderstand = false
  package var noTransform = false
  package var onlyIfCached = false
  package var immutable = false
  package var maxAge: Seconds?
  package var sharedMaxAge: Seconds?
  /// Of a request: how stale an answer may be; `longest` where no limit is said.
  package var maxStale: Seconds?
  package var minFresh: Seconds?
  /// RFC 5861.
  package var staleWhileRevalidate: Seconds?
  package var staleIfError: Seconds?

  package init() {}

  /// Reads all `Cache-Control` fields as one list.
  ///
  /// - Parameter fields: of a request or a response.
  package init(_ fields: HTTPFields) {
    for value in fields[values: .cacheControl] { read(value) }
  }

  /// Whether nothing was said.
  package var isEmpty: Bool { self == CacheDirectives() }

  private mutating func read(_ value: String) {
    let bytes = Array(value.utf8)
    let span = bytes.span
    forEachDirective(span) { name, argument in
      note(String(decoding: bytes[name], as: UTF8.self).lowercased(), argument)
    }
  }

  /// Takes one directive.
  ///
  /// - Parameters:
  ///   - name: in lower case.
  ///   - argument: nil where there is none; without its quotes.
  mutating func note(_ name: String, _ argument: [UInt8]?) {
    switch name {
    case "no-store": noStore = true
    case "no-cache": noCache = true
    case "private": isPrivate = true
    case "public": isPublic = true
    case "must-revalidate": mustRevalidate = true
    case "proxy-revalidate": proxyRevalidate = true
    case "must-understand": mustUnderstand = true
    case "no-transform": noTransform = true
    case "only-if-cached": onlyIfCached = true
    case "immutable": immutable = true
    case "max-age": maxAge = maxAge ?? Self.seconds(argument) ?? 0
    case "s-maxage": sharedMaxAge = sharedMaxAge ?? Self.seconds(argument) ?? 0
    case "max-stale":
      maxStale = maxStale ?? (argument == nil ? Self.longest : Self.seconds(argument) ?? 0)
    case "min-fresh": minFresh = minFresh ?? Self.seconds(argument) ?? 0
    case "stale-while-revalidate":
      staleWhileRevalidate = staleWhileRevalidate ?? Self.seconds(argument) ?? 0
    case "stale-if-error": staleIfError = staleIfError ?? Self.seconds(argument) ?? 0
    default: break
    }
  }

  /// Reads delta-seconds (RFC 9111, 1.2.2).
  ///
  /// - Parameter text: digits alone.
  /// - Returns: at most `longest`; nil for anything but digits.
  static func seconds(_ text: [UInt8]?) -> Seconds? {
    guard let text, !text.isEmpty else { return nil }
    var value: Seconds = 0
    for byte in text {
      guard byte &- 0x30 < 10 else { return nil }
      value = min(longest, value * 10 + Seconds(byte &- 0x30))
    }
    return value
  }
}
