/// `GET /` on the admin listener: what the node does, from `api/status` (`NodeStatus.json()`).
package struct StatusPage: Sendable {
  package static let contentType = "text/html; charset=utf-8"

  package let bytes: [UInt8]
  /// The value of its `Content-Security-Policy`.
  package let contentSecurityPolicy: String

  /// Makes the page, once.
  package init() {
    let template = PageTemplate(
      html: PackageResources.status_html,
      styles: [PackageResources.base_css, PackageResources.status_css],
      script: PackageResources.status_js)
    bytes = template.bytes()
    contentSecurityPolicy = [
      "default-src 'none'", "script-src \(template.scriptSource)",
      "style-src \(template.styleSource)", "img-src data:", "connect-src 'self'",
      "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")
  }
}
