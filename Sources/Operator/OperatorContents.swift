package import HTTPServer

/// What there is on an admin port: a page of links, for nodes that have no other at `/`, and the
/// words of a 404.
package struct OperatorContents: Sendable {
  private let paths: [String]

  /// - Parameter paths: each begins with a slash; those that come again are left out.
  package init(_ paths: [String]) {
    var seen: Set<String> = []
    self.paths = paths.filter { seen.insert($0).inserted }
  }

  /// For a sentence.
  package var text: String { paths.joined(separator: " ") }

  /// Links to all but the page itself.
  package var page: PreparedResponse {
    let links = paths.filter { $0 != "/" }.map { path in
      // Relative, so that they hold behind somebody's proxy.
      "<li><a href=\"\(path.dropFirst())\">\(path)</a></li>"
    }
    let html = """
      <!doctype html>
      <html lang="en">
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="robots" content="noindex">
      <title>wedlive</title>
      <h1>wedlive</h1>
      <ul>
      \(links.joined(separator: "\n"))
      </ul>
      </html>

      """
    return PreparedResponse(
      fields: [
        ("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
      ], body: Array(html.utf8), allowsAnyOrigin: false)
  }
}
