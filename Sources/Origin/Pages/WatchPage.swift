/// `GET /watch/{wedding}`: the player page, the same bytes for every wedding.
///
/// It reads the wedding's name from its own address, asks `/api/streams/playback/{wedding}` for the
/// state and plays `/hls/{wedding}/index.m3u8`. Made once and kept.
package struct WatchPage: Sendable {
  package static let contentType = "text/html; charset=utf-8"

  /// The page.
  package let bytes: [UInt8]
  /// The value of its `Content-Security-Policy`.
  package let contentSecurityPolicy: String
  /// The value of its `Referrer-Policy`: a token in the address goes nowhere.
  package let referrerPolicy = "no-referrer"

  /// Makes the page.
  ///
  /// - Parameters:
  ///   - hlsJS: where hls.js is, for browsers that can't play HLS themselves: an http(s) URL or a
  ///     path; empty for none.
  ///   - integrity: its Subresource Integrity value, if it is to be checked.
  ///   - prefersHLSJS: whether browsers that can play HLS themselves take it too.
  ///   - media: where playlists and segments are, `https://cdn.example.com`; empty: where the page
  ///     is.
  package init(
    hlsJS: String, integrity: String? = nil, prefersHLSJS: Bool = false, media: String = ""
  ) {
    let template = PageTemplate(
      html: PackageResources.watch_html,
      styles: [PackageResources.base_css, PackageResources.watch_css],
      script: PackageResources.cameras_js + PackageResources.spare_js + PackageResources.watch_js)
    bytes = template.bytes([
      "hls_js": hlsJS, "hls_js_integrity": integrity ?? "",
      "hls_js_preferred": prefersHLSJS ? "yes" : "", "media": media,
    ])
    let scripts = [template.scriptSource, Self.source(of: hlsJS)].filter { !$0.isEmpty }
    let places = media.isEmpty ? "" : " \(media)"
    contentSecurityPolicy = [
      "default-src 'none'", "script-src \(scripts.joined(separator: " "))",
      "style-src \(template.styleSource)", "img-src 'self' data:",
      "media-src 'self' blob:\(places)",
      "connect-src 'self'\(places)", "worker-src blob:", "base-uri 'none'", "form-action 'none'",
      "frame-ancestors 'self'",
    ].joined(separator: "; ")
  }

  /// What the policy allows for a script's address: exactly that file.
  private static func source(of address: String) -> String {
    guard !address.isEmpty else { return "" }
    guard address.contains("://") else { return "'self'" }
    let end = address.firstIndex { $0 == "?" || $0 == "#" } ?? address.endIndex
    let bare = address[..<end]
    return bare.contains { $0 == " " || $0 == ";" || $0 == "," || $0 == "'" } ? "" : String(bare)
  }
}
