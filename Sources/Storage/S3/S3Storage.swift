import Bytes
import Crypto
import Foundation
package import HTTPClient
import HTTPTypes

/// A bucket of Amazon S3, or of anything that speaks its language.
///
/// Small files go as one request, larger ones in parts, each with its SHA-256 in its signature: the
/// service takes no part that was changed on its way. When all are there the object is asked for
/// its size and its checksum. An upload goes on where it got to: the parts are looked for in the
/// bucket, and hashed anew in the file.
package struct S3Storage: ObjectStorage {
  package let kind = StorageKind.s3
  let client: S3Client
  var configuration: S3Configuration { client.configuration }

  /// Parts have no fewer bytes than this, and no object has more parts.
  static let leastPartBytes = 5 << 20
  static let maximumParts = 10_000

  /// - Parameters:
  ///   - configuration: the bucket.
  ///   - http: the way out; files are read on its thread.
  /// - Throws: `.misconfigured`, naming the key.
  package init(_ configuration: S3Configuration, http: HTTPClient) throws(StorageError) {
    client = try S3Client(configuration, client: http)
  }

  package func put(
    _ path: String, as name: String, contentType: String, from checkpoint: UploadCheckpoint?,
    note: @Sendable (UploadCheckpoint) async -> Void
  ) async throws(StorageError) -> StoredObject {
    try ObjectName.check(name)
    let source = try SourceFile(path)
    let object = StoredObject(
      kind: .s3, name: name, location: "\(configuration.bucket)/\(configuration.prefix)\(name)",
      bytes: source.bytes, contentType: contentType, checksum: "", parts: [])
    if source.bytes <= max(configuration.partBytes, Self.leastPartBytes) {
      return try await putWhole(source, object)
    }
    return try await putParts(source, object, from: checkpoint, note: note)
  }

  private func putWhole(
    _ source: SourceFile, _ object: StoredObject
  ) async throws(StorageError) -> StoredObject {
    let digest = try await BlockingWork.run { () throws(StorageError) in
      var whole = SHA256()
      return try source.digest(of: 0..<source.bytes, adding: &whole)
    }
    var call = S3Client.Call(method: .put, key: try key(object))
    call.headers = checksumHeader(digest)
    call.headers["content-type"] = object.contentType
    call.payload = digest.hexadecimal
    call.body = body(source, 0..<source.bytes)
    let (head, _, _) = try await client.send(call)
    let etag = Self.etag(head)
    if digest.isContradicted(by: etag), Self.hasComparableETag(head) {
      throw .damaged("\(object.name) arrived as other bytes than were sent")
    }
    var object = object
    object.checksum = digest.hexadecimal
    object.parts = [
      StoredPart(bytes: source.bytes, checksum: digest.hexadecimal, reference: etag)
    ]
    return object
  }

  package func confirm(_ object: StoredObject) async throws(StorageError) -> Bool {
    var call = S3Client.Call(method: .head, key: try key(object))
    call.expected = ["NoSuchKey"]
    if configuration.usesChecksums { call.headers["x-amz-checksum-mode"] = "ENABLED" }
    let (head, _, error) = try await client.send(call)
    if error != nil { return false }
    guard Self.field("content-length", head).flatMap({ Int($0) }) == object.bytes else {
      return false
    }
    if let said = Self.field("x-amz-checksum-sha256", head), let agrees = Self.agrees(said, object)
    {
      return agrees
    }
    if Self.hasComparableETag(head), Self.expectedETag(object) == Self.etag(head) { return true }
    // Its own checksum can't be compared with ours: then the bytes can.
    return try await readsBack(object)
  }

  package func read(
    _ object: StoredObject, range: Range<Int>
  ) async throws(StorageError) -> [UInt8] {
    try ObjectRange.check(range, of: object)
    if range.isEmpty { return [] }
    var call = S3Client.Call(method: .get, key: try key(object))
    call.headers["range"] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
    call.maxResponseBytes = range.count + (1 << 16)
    let (head, body, _) = try await client.send(call)
    let isWhole = range == 0..<object.bytes && head.status.code == 200
    guard head.status.code == 206 || isWhole, body.count == range.count else {
      throw .damaged(
        "\(object.name): \(body.count) bytes came where \(range.count) were asked for")
    }
    return body
  }

  package func delete(_ object: StoredObject) async throws(StorageError) {
    var call = S3Client.Call(method: .delete, key: try key(object))
    call.expected = ["NoSuchKey"]
    _ = try await client.send(call)
  }

  package func address(_ object: StoredObject) -> String? {
    guard object.kind == .s3, let key = try? key(object) else { return nil }
    return ObjectName.address(key, below: configuration.publicURL)
  }

  /// Reads an object as a whole, and compares.
  private func readsBack(_ object: StoredObject) async throws(StorageError) -> Bool {
    var whole = SHA256()
    var start = 0
    while start < object.bytes {
      let end = min(start + (8 << 20), object.bytes)
      let bytes: [UInt8]
      do throws(StorageError) {
        bytes = try await read(object, range: start..<end)
      } catch .notFound {
        return false
      }
      whole.update(data: bytes)
      start = end
    }
    return Hexadecimal.text(whole.finalize()) == object.checksum
  }

  /// An object's key in the bucket that is configured.
  ///
  /// - Throws: `.elsewhere` where it was put into another one.
  func key(_ object: StoredObject) throws(StorageError) -> String {
    let bucket = configuration.bucket + "/"
    guard object.kind == .s3, object.location.hasPrefix(bucket) else {
      throw .elsewhere(
        "\(object.name) is in \(object.kind.rawValue) storage at \(object.location), and not in the"
          + " bucket \(configuration.bucket)")
    }
    return String(object.location.dropFirst(bucket.count))
  }

  func body(_ source: SourceFile, _ range: Range<Int>) -> OutgoingBody {
    OutgoingBody([.file(descriptor: source.descriptor, range: range, owner: source)])
  }

  func checksumHeader(_ digest: PartDigest) -> [String: String] {
    configuration.usesChecksums ? ["x-amz-checksum-sha256": digest.base64] : [:]
  }

  /// Whether what S3 says is the SHA-256 of an object; nil if that can't be told.
  ///
  /// Of an object in parts S3 says the SHA-256 of the parts' own, and how many there are.
  static func agrees(_ said: String, _ object: StoredObject) -> Bool? {
    let words = said.split(separator: "-", omittingEmptySubsequences: false)
    guard let bytes = words.first.flatMap({ Data(base64Encoded: String($0)) }) else { return nil }
    let digests = object.parts.compactMap { Hexadecimal.bytes($0.checksum) }
    let whole = Hexadecimal.bytes(object.checksum)
    if whole == Array(bytes) { return true }
    let composite = SHA256.hash(data: Data(digests.joined()))
    if Array(composite) == Array(bytes) {
      return words.count == 1 || words[1] == "\(digests.count)"
    }
    return words.count == 1 && object.parts.count > 1 ? nil : false
  }

  /// The ETag that S3 makes of the parts' MD5s; nil if they are none.
  static func expectedETag(_ object: StoredObject) -> String? {
    if object.parts.count == 1, let part = object.parts.first, part.bytes == object.bytes,
      Hexadecimal.bytes(part.reference)?.count == 16
    {
      return part.reference
    }
    var all: [UInt8] = []
    for part in object.parts {
      guard let bytes = Hexadecimal.bytes(part.reference), bytes.count == 16 else { return nil }
      all += bytes
    }
    return Hexadecimal.text(Insecure.MD5.hash(data: all)) + "-\(object.parts.count)"
  }

  /// Whether an ETag is an MD5: not where the service encrypts with keys of its own.
  static func hasComparableETag(_ head: HTTPResponse) -> Bool {
    let encryption = field("x-amz-server-side-encryption", head) ?? ""
    return !encryption.hasPrefix("aws:kms")
      && field("x-amz-server-side-encryption-customer-algorithm", head) == nil
  }

  static func etag(_ head: HTTPResponse) -> String {
    (field("etag", head) ?? "").trimmingQuotes()
  }

  static func field(_ name: String, _ head: HTTPResponse) -> String? {
    HTTPField.Name(name).flatMap { head.headerFields[$0] }
  }
}

extension String {
  /// Without the quotation marks that an ETag has.
  func trimmingQuotes() -> String {
    var text = self
    while text.hasPrefix("\"") { text.removeFirst() }
    while text.hasSuffix("\"") { text.removeLast() }
    return text
  }
}
