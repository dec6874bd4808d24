import Crypto
import Foundation

/// A page made once from its parts: what is inline in it is named by hash in its policy.
struct PageTemplate {
  let html: String
  let style: String
  let script: String

  init(html: [UInt8], styles: [[UInt8]], script: [UInt8]) {
    self.html = String(decoding: html, as: UTF8.self)
    style = styles.map { String(decoding: $0, as: UTF8.self) }.joined()
    self.script = String(decoding: script, as: UTF8.self)
  }

  /// The page's bytes with the values filled in.
  ///
  /// - Parameter values: by the name in `{{…}}`; they are escaped.
  /// - Returns: the whole page in UTF-8.
  func bytes(_ values: [String: String] = [:]) -> [UInt8] {
    var page = html
    for (name, value) in values {
      page = page.replacing("{{\(name)}}", with: XMLText.escaped(value))
    }
    page = page.replacing("{{style}}", with: style).replacing("{{script}}", with: script)
    return [UInt8](page.utf8)
  }

  /// The Content-Security-Policy's sources for the inline style and script.
  var styleSource: String { Self.source(style) }
  var scriptSource: String { Self.source(script) }

  private static func source(_ text: String) -> String {
    let digest = Data(SHA256.hash(data: Data(text.utf8)))
    return "'sha256-\(digest.base64EncodedString())'"
  }
}
