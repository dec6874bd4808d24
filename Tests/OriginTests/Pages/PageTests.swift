import Crypto
import Foundation
import Origin
import Testing

/// The texts of the pages.
enum PageText {
  static let watch = WatchPage(
    hlsJS: "https://cdn.example/hls.js?a=1&b=\"2\"", integrity: "sha384-abc")
  static let status = StatusPage()

  static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// What stands between two tags.
  static func inside(_ tag: String, _ bytes: [UInt8]) -> String {
    let page = text(bytes)
    guard let start = page.range(of: "<\(tag)>"), let end = page.range(of: "</\(tag)>") else {
      return ""
    }
    return String(page[start.upperBound..<end.lowerBound])
  }

  static var script: String { inside("script", status.bytes) }
}

@Suite struct `Pages` {
  func hash(_ text: String) -> String {
    "'sha256-\(Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString())'"
  }

  @Test func `their policies name what is inline, and nothing else may run`() {
    for (bytes, policy) in [
      (PageText.watch.bytes, PageText.watch.contentSecurityPolicy),
      (PageText.status.bytes, PageText.status.contentSecurityPolicy),
    ] {
      #expect(policy.hasPrefix("default-src 'none'; "))
      #expect(policy.contains(hash(PageText.inside("script", bytes))))
      #expect(policy.contains("style-src \(hash(PageText.inside("style", bytes)));"))
      #expect(!policy.contains("unsafe"))
      let page = PageText.text(bytes)
      #expect(!page.contains("{{"))
      #expect(!page.contains(/\son[a-z]+=/), "inline handlers would be refused")
      #expect(!page.contains(/\sstyle=/), "inline styles would be refused")
    }
  }

  @Test func `hls.js is allowed from its own address only`() {
    let policy = PageText.watch.contentSecurityPolicy
    #expect(policy.contains(" https://cdn.example/hls.js;"))
    #expect(WatchPage(hlsJS: "/static/hls.js").contentSecurityPolicy.contains(" 'self';"))
    #expect(!WatchPage(hlsJS: "").contentSecurityPolicy.contains("script-src 'self'"))
    #expect(!WatchPage(hlsJS: "https://a.example/x; y").contentSecurityPolicy.contains("a.example"))
  }

  @Test func `values are escaped`() {
    let page = PageText.text(PageText.watch.bytes)
    #expect(page.contains("content=\"https://cdn.example/hls.js?a=1&amp;b=&quot;2&quot;\""))
    #expect(page.contains("data-integrity=\"sha384-abc\""))
  }

  @Test func `browsers are told where hls.js goes back and they can't`() {
    let page = PageText.text(WatchPage(hlsJS: "/hls.js", prefersHLSJS: true).bytes)
    #expect(page.contains("data-preferred=\"yes\""))
    #expect(PageText.text(PageText.watch.bytes).contains("data-preferred=\"\""))
  }

  @Test func `nothing is loaded from elsewhere`() {
    for bytes in [WatchPage(hlsJS: "").bytes, PageText.status.bytes] {
      let page = PageText.text(bytes).replacing("http://www.w3.org/", with: "")
      #expect(!page.contains("http://"))
      #expect(!page.contains("https://"))
    }
  }
}
