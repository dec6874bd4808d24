/// A bucket, and who may write it.
package struct S3Configuration: Equatable, Sendable {
  /// `https://host` of the service, a port or a path behind it; empty is Amazon's of the region.
  package var endpoint = ""
  package var region = "us-east-1"
  package var bucket: String
  /// Stands before every name: `weddings/`.
  package var prefix = ""
  package var accessKey: String
  package var secretKey: String
  /// Whether the bucket stands in the path, and not in the host's name.
  package var usesPathStyle = true
  /// How large the parts of an upload are; larger ones where an object has more than 10,000.
  package var partBytes = 16 << 20
  /// Whether to send and ask for SHA-256 checksums of S3's own; some lookalikes refuse them.
  package var usesChecksums = true
  /// Where somebody serves the bucket to people.
  package var publicURL: String?
  package var patience = StoragePatience()

  package init(bucket: String, accessKey: String, secretKey: String) {
    self.bucket = bucket
    self.accessKey = accessKey
    self.secretKey = secretKey
  }
}
