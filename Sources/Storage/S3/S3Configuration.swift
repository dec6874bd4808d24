import HTTPTypes

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

/// How long a storage on the network is waited for.
package struct StoragePatience: Equatable, Sendable {
  /// For an answer to a call without much of a body.
  package var timeout: Duration = .seconds(30)
  /// An upload or a download in which nothing moves for so long has failed.
  package var stall: Duration = .seconds(30)
  /// How long one part may take, however it moves.
  package var transfer: Duration = .seconds(3_600)
  /// How often a call is tried in all before it fails; then whoever called waits for longer.
  package var attempts = 4
  /// Between the first two tries; doubled for each further one.
  package var pause: Duration = .milliseconds(500)

  package init() {}
}

/// Where a bucket's requests go.
struct S3Address: Equatable, Sendable {
  let scheme: String
  let authority: String
  /// What stands before the key, escaped: without a slash at its end.
  let basePath: String

  /// Reads the configuration.
  ///
  /// - Throws: `.misconfigured`, naming the key.
  init(_ configuration: S3Configuration) throws(StorageError) {
    let bucket = configuration.bucket
    guard (3...63).contains(bucket.utf8.count),
      bucket.utf8.allSatisfy({
        (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0)
          || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
      })
    else {
      throw .misconfigured(
        "storage.s3.bucket: \(bucket.debugDescription) is no name of a bucket: 3 to 63 letters,"
          + " digits, dots and dashes")
    }
    let endpoint =
      configuration.endpoint.isEmpty
      ? "https://s3.\(configuration.region).amazonaws.com" : configuration.endpoint
    let parts = endpoint.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let scheme = parts.first, scheme == "https" || scheme == "http" else {
      throw .misconfigured("storage.s3.endpoint: \(endpoint): expected http:// or https://")
    }
    let rest = parts[1]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let host = rest[..<slash]
    guard !host.isEmpty, !host.contains("@"), !rest.contains("?"), !rest.contains("#") else {
      throw .misconfigured("storage.s3.endpoint: \(endpoint): expected an address of a host")
    }
    var path = String(rest[slash...])
    while path.hasSuffix("/") { path.removeLast() }
    self.scheme = String(scheme)
    if configuration.usesPathStyle {
      authority = String(host)
      basePath = path + "/" + bucket
    } else {
      authority = bucket + "." + host
      basePath = path
    }
  }

  /// The path of a request.
  ///
  /// - Parameter key: of an object; nil for the bucket.
  /// - Returns: escaped as signatures want it, which is how it is sent.
  func path(_ key: String?) -> String {
    key.map { basePath + "/" + ObjectName.escaped($0) } ?? (basePath.isEmpty ? "/" : basePath)
  }
}
