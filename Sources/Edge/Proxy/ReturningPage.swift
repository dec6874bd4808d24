import HTTPSemantics
import HTTPServer
import HTTPTypes

/// What a browser gets in place of the player page that can't be had now: a page that asks for it
/// again.
///
/// It names nobody, as all that viewers get; why there is no answer stands in the log.
enum ReturningPage {
  /// Whether it is a person who asks, for `/watch/{wedding}`: programs are answered in JSON.
  static func isWanted(by request: HTTPRequest) -> Bool {
    (request.path ?? "").hasPrefix("/watch/")
      && (request.headerFields[.accept] ?? "").lowercased().contains("text/html")
  }

  /// The page.
  ///
  /// - Parameter status: of the failure, 502, 503 or 504.
  /// - Returns: never stored, and with a word on when to ask again.
  static func response(_ status: Int) -> PreparedResponse {
    PreparedResponse(status: status, fields: fields, body: body)
  }

  private static let fields = [
    (name: "content-type", value: "text/html; charset=utf-8"),
    (name: "cache-control", value: "no-store"),
    (name: "retry-after", value: EdgeFailure.retryAfter),
    (name: "referrer-policy", value: "no-referrer"),
    (
      name: "content-security-policy",
      // All of it stands below: nothing of a request is in it.
      value: "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'self'"
    ),
  ]

  private static let body = Array(
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="dark">
    <meta name="robots" content="noindex">
    <meta http-equiv="refresh" content="3">
    <title>Back in a moment</title>
    <style>
    html { height: 100%; background: #0d0c10; color: #f1eee8; font: 16px/1.5 system-ui, sans-serif; }
    body { min-height: 100%; margin: 0; display: grid; place-items: center; text-align: center; }
    p { margin: .5rem 1.5rem; color: #a39fae; }
    h1 { margin: 0 1.5rem; font-size: 1.4rem; color: #e3c08d; }
    </style>
    </head>
    <body>
    <main role="status">
    <h1>The stream will be back in a moment</h1>
    <p>This page tries again by itself; there is nothing to do.</p>
    </main>
    </body>
    </html>

    """.utf8)
}
