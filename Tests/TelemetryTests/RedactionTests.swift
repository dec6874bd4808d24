import Telemetry
import Testing

private let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl_-x"

@Suite struct `Redacting` {
  @Test(arguments: [
    "token", "Token", "stream_key", "key", "client-secret", "clientSecret", "PASSWORD",
    "Authorization", "http.authorization", "Set-Cookie", "auth.secret",
  ])
  func `a key that names a secret is one`(key: String) {
    #expect(Redaction.isSecret(key: key))
  }

  @Test(arguments: ["key_id", "keyframe", "wedding", "token_count", "monkey", "", "kid"])
  func `a key that names no secret is none`(key: String) {
    #expect(!Redaction.isSecret(key: key))
  }

  @Test(arguments: [
    ("\(jwt)", "[redacted]"),
    ("rtmp://h/live/\(jwt)", "rtmp://h/live/[redacted]"),
    ("a \(jwt) b \(jwt)", "a [redacted] b [redacted]"),
    ("/live/w?token=abc&x=1", "/live/w?token=[redacted]&x=1"),
    ("x=1&stream_key=abc", "x=1&stream_key=[redacted]"),
    ("Authorization: Bearer abcdefgh123", "Authorization: Bearer [redacted]"),
    ("basic dXNlcjpwYXNz", "basic [redacted]"),
    ("It was \(jwt).", "It was [redacted]."),
    ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "[redacted]"),
    ("eyJonly.two", "eyJonly.two"),
    ("eyJ", "eyJ"),
    ("a bearer of news", "a bearer of news"),
    ("monkey=1 keys=2", "monkey=1 keys=2"),
    ("token=", "token="),
    ("ünïcode 🎉 token=é", "ünïcode 🎉 token=[redacted]"),
    ("", ""),
  ])
  func `secrets inside text are replaced and the rest stays`(text: String, expected: String) {
    #expect(Redaction.redact(text) == expected)
  }

  @Test func `a token is found wherever it stands`() {
    for before in ["", "/", "=", "\"", "é", " ", "?token=", ":"] {
      for after in ["", "/", "&a", "\"", "é", " ", "\n"] {
        let clean = Redaction.redact(before + jwt + after)
        #expect(!clean.contains("c2lnbmF0dXJl"), "\(before)…\(after)")
      }
    }
  }
}
