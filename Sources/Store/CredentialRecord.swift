/// A stream key that was given out for a camera, as it is kept: its digest, never the key.
///
/// A key is a signed token of hundreds of random bits, so a plain digest of it tells nobody the
/// key.
package struct CredentialRecord: Sendable, Equatable {
  package var wedding: String
  package var camera: String
  /// SHA-256 of the key.
  package var digest: [UInt8]
  /// Milliseconds since 1970.
  package var created: Int64
  /// When the key ends by itself, in milliseconds since 1970.
  package var expires: Int64

  package init(wedding: String, camera: String, digest: [UInt8], created: Int64, expires: Int64) {
    self.wedding = wedding
    self.camera = camera
    self.digest = digest
    self.created = created
    self.expires = expires
  }
}
