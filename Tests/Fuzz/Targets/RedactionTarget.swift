import Telemetry

private let token =
  "eyJhbGciOiJIUzI1NiJ9.eyJzY29wZSI6InB1Ymxpc2gifQ.c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl"

/// No token survives, wherever it stands.
func fuzzRedaction(_ input: [UInt8]) throws(Finding) {
  let text = String(decoding: input, as: UTF8.self)
  let redacted = Redaction.redact(text)
  try check(redacted.utf8.count <= 11 * max(1, text.utf8.count), "the text grew")
  _ = Redaction.isSecret(key: text)
  let half = text.unicodeScalars.count / 2
  let head = String(text.unicodeScalars.prefix(half))
  let tail = String(text.unicodeScalars.dropFirst(half))
  for (before, after) in [
    (" ", " "), ("/", "?"), ("\"", "\""), ("?token=", "&"), (" Bearer ", ";"),
  ] {
    let planted = head + before + token + after + tail
    try check(!Redaction.redact(planted).contains(token), "a token survives")
  }
}
