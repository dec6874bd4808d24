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
