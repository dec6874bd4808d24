/// What a server says in TLS when it ends a connection, as OpenSSL puts it in libcurl's words.
enum ServerAlert {
  private static let refusals = [
    "certificate required", "bad certificate", "unsupported certificate", "certificate revoked",
    "certificate expired", "certificate unknown", "unknown ca", "access denied",
  ]

  /// Whether the server takes no certificate of this client's, or wants one and got none.
  ///
  /// - Parameter words: such as `error:0A00045C:SSL routines::tlsv13 alert certificate required`.
  /// - Returns: false also where it says something else, or nothing.
  static func refusesCertificate(_ words: String) -> Bool {
    guard let alert = words.firstRange(of: " alert ") else { return false }
    let reason = words[alert.upperBound...]
    return refusals.contains { reason.hasPrefix($0) }
  }
}
