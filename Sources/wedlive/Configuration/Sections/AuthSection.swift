/// `auth`: how tokens are verified.
struct AuthSection: Equatable, Sendable {
  /// The HS256 secret; nil for the file, or for one made in the data folder.
  var secret: String?
  /// A file that holds the secret.
  var secretFile: String?
  /// A file or https URL of a JWK set, for RS256 and ES256 tokens.
  var jwks: String?
  /// How often a JWK set is read again.
  var jwksRefresh = Duration.seconds(300)
  /// How far clocks may differ.
  var leeway = Duration.seconds(10)
}
