/// `data`: what survives a restart.
struct DataSection: Equatable, Sendable {
  /// The folder of the database, the secret and the self-signed certificate.
  var path = "wedlive-data"
}
