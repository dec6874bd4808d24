/// `encryption`: of the segments, so that only invited viewers can watch.
struct EncryptionSection: Equatable, Sendable {
  enum Method: String, CaseIterable, Sendable {
    /// Where viewers need a token.
    case auto
    case off
    case aes128 = "aes-128"
  }

  var method = Method.auto
  /// For how many segments a key is used.
  var fragmentsPerKey = 10
  /// How long it is used at most.
  var rotateEvery = Duration.seconds(86_400)
  /// How many keys one client gets in ten seconds.
  var keysPerClient = 2_000
}
