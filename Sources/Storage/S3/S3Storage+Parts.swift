import Bytes
import Crypto
import Foundation
import HTTPClient
import HTTPTypes

/// Uploads in parts, which go on where they got to.
extension S3Storage {
  func putParts(
    _ source: SourceFile, _ object: StoredObject, from checkpoint: UploadCheckpoint?,
    note: @Sendable (UploadCheckpoint) async -> Void
  ) async throws(StorageError) -> StoredObject {
    var whole = SHA256()
    var upload: UploadCheckpoint
    switch try await resume(source, object, checkpoint, &whole) {
    case .goesOn(let found): upload = found
    case .isDone(let done): return done
    case .beginsAnew:
      whole = SHA256()
      upload = try await begin(source, object)
    }
    await note(upload)
    while upload.bytesSent < source.bytes {
      if Task.isCancelled { throw .cancelled }
      let range = upload.bytesSent..<min(upload.bytesSent + upload.partBytes, source.bytes)
      let before = whole
      let (digest, after) = try await BlockingWork.run { () throws(StorageError) in
        var whole = before
        return (try source.digest(of: range, adding: &whole), whole)
      }
      whole = after
      upload.parts.append(try await send(source, range, digest, upload))
      await note(upload)
    }
    var object = object
    object.checksum = Hexadecimal.text(whole.finalize())
    object.parts = upload.parts
    try await complete(upload, object)
    guard try await confirm(object) else {
      throw .damaged("\(object.name) was put together as other bytes than were sent")
    }
    return object
  }

  package func abandon(_ checkpoint: UploadCheckpoint) async throws(StorageError) {
    guard checkpoint.kind == .s3, !checkpoint.uploadID.isEmpty else { return }
    var call = S3Client.Call(method: .delete, key: try key(checkpoint))
    call.query = [("uploadId", checkpoint.uploadID)]
    call.expected = ["NoSuchUpload", "NoSuchKey"]
    _ = try await client.send(call)
  }

  /// What an earlier try has left.
  private enum Resumption {
    case goesOn(UploadCheckpoint)
    case isDone(StoredObject)
    case beginsAnew
  }

  /// Looks for the parts of an earlier try, in the bucket and in the file.
  private func resume(
    _ source: SourceFile, _ object: StoredObject, _ checkpoint: UploadCheckpoint?,
    _ whole: inout SHA256
  ) async throws(StorageError) -> Resumption {
    guard var upload = checkpoint, upload.kind == .s3, upload.name == object.name,
      upload.location == object.location, upload.bytes == source.bytes, !upload.uploadID.isEmpty,
      upload.partBytes >= Self.leastPartBytes,
      source.bytes <= upload.partBytes * Self.maximumParts
    else { return .beginsAnew }
    let listed = try await list(upload)
    var kept: [StoredPart] = []
    var hashes = SHA256()
    for (index, part) in upload.parts.enumerated() {
      let start = kept.reduce(0) { $0 + $1.bytes }
      guard part.bytes == min(upload.partBytes, source.bytes - start), part.bytes > 0 else { break }
      let before = hashes
      let (digest, after) = try await BlockingWork.run { () throws(StorageError) in
        var hashes = before
        return (try source.digest(of: start..<start + part.bytes, adding: &hashes), hashes)
      }
      // A file that has changed is another object, even if its upload is there.
      guard digest.hexadecimal == part.checksum else {
        try await abandon(upload)
        return .beginsAnew
      }
      if let listed, listed[index + 1] != part.reference { break }
      hashes = after
      kept.append(part)
    }
    guard listed == nil else {
      whole = hashes
      upload.parts = kept
      return .goesOn(upload)
    }
    // The upload is gone: it was ended by somebody, or it has become the object.
    guard kept.reduce(0, { $0 + $1.bytes }) == source.bytes else { return .beginsAnew }
    var done = object
    done.parts = kept
    done.checksum = Hexadecimal.text(hashes.finalize())
    return try await confirm(done) ? .isDone(done) : .beginsAnew
  }

  /// The ETags of the parts that the bucket has, by number; nil where it has no such upload.
  private func list(_ upload: UploadCheckpoint) async throws(StorageError) -> [Int: String]? {
    var parts: [Int: String] = [:]
    var marker = 0
    while true {
      var call = S3Client.Call(method: .get, key: try key(upload))
      call.query = [("uploadId", upload.uploadID), ("max-parts", "1000")]
      if marker > 0 { call.query.append(("part-number-marker", "\(marker)")) }
      call.expected = ["NoSuchUpload", "NoSuchKey"]
      let (_, body, error) = try await client.send(call)
      if error != nil { return nil }
      let text = XMLText(body)
      for part in text.all("Part") {
        guard let number = part["PartNumber"].flatMap({ Int($0) }), let etag = part["ETag"] else {
          continue
        }
        parts[number] = etag.trimmingQuotes()
      }
      // Pages that don't go on towards the last part there can be would be turned without an end.
      guard text["IsTruncated"] == "true",
        let next = text["NextPartNumberMarker"].flatMap({ Int($0) }),
        (marker + 1..<Self.maximumParts).contains(next)
      else { return parts }
      marker = next
    }
  }

  private func begin(
    _ source: SourceFile, _ object: StoredObject
  ) async throws(StorageError) -> UploadCheckpoint {
    try await endOthers(object)
    var call = S3Client.Call(method: .post, key: try key(object))
    call.query = [("uploads", "")]
    call.headers["content-type"] = object.contentType
    if configuration.usesChecksums { call.headers["x-amz-checksum-algorithm"] = "SHA256" }
    let (_, body, _) = try await client.send(call)
    guard let uploadID = XMLText(body)["UploadId"], !uploadID.isEmpty, uploadID.utf8.count < 2_048
    else {
      throw .unreachable("S3 at \(client.address.authority) began an upload without saying which")
    }
    let least = (source.bytes + Self.maximumParts - 1) / Self.maximumParts
    let megabyte = 1 << 20
    let partBytes = max(
      configuration.partBytes, Self.leastPartBytes, (least + megabyte - 1) / megabyte * megabyte)
    return UploadCheckpoint(
      kind: .s3, name: object.name, location: object.location, bytes: source.bytes,
      uploadID: uploadID, partBytes: partBytes)
  }

  /// Ends uploads of the same key that nobody knows any more: their parts would be paid for for
  /// ever.
  private func endOthers(_ object: StoredObject) async throws(StorageError) {
    let key = try key(object)
    var call = S3Client.Call(method: .get)
    call.query = [("uploads", ""), ("prefix", key), ("max-uploads", "100")]
    let body: [UInt8]
    do throws(StorageError) {
      (_, body, _) = try await client.send(call)
    } catch .refused {
      // Listing them is a right of its own.
      return
    }
    for upload in XMLText(body).all("Upload") where upload["Key"] == key {
      guard let uploadID = upload["UploadId"] else { continue }
      try await abandon(
        UploadCheckpoint(
          kind: .s3, name: object.name, location: object.location, bytes: 0, uploadID: uploadID,
          partBytes: 0))
    }
  }

  private func send(
    _ source: SourceFile, _ range: Range<Int>, _ digest: PartDigest, _ upload: UploadCheckpoint
  ) async throws(StorageError) -> StoredPart {
    var call = S3Client.Call(method: .put, key: try key(upload))
    call.query = [
      ("partNumber", "\(upload.parts.count + 1)"), ("uploadId", upload.uploadID),
    ]
    call.headers = checksumHeader(digest)
    call.payload = digest.hexadecimal
    call.body = body(source, range)
    let (head, _, _) = try await client.send(call)
    let etag = Self.etag(head)
    guard !etag.isEmpty else {
      throw .unreachable("S3 at \(client.address.authority) took a part without giving its ETag")
    }
    if digest.isContradicted(by: etag), Self.hasComparableETag(head) {
      throw .damaged("a part of \(upload.name) arrived as other bytes than were sent")
    }
    return StoredPart(bytes: range.count, checksum: digest.hexadecimal, reference: etag)
  }

  private func complete(
    _ upload: UploadCheckpoint, _ object: StoredObject
  ) async throws(StorageError) {
    var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for (index, part) in upload.parts.enumerated() {
      text += "<Part><PartNumber>\(index + 1)</PartNumber>"
      text += "<ETag>\"\(XMLText.escaped(part.reference))\"</ETag>"
      if configuration.usesChecksums, let bytes = Hexadecimal.bytes(part.checksum) {
        text += "<ChecksumSHA256>\(Data(bytes).base64EncodedString())</ChecksumSHA256>"
      }
      text += "</Part>"
    }
    text += "</CompleteMultipartUpload>"
    let body = Array(text.utf8)
    var call = S3Client.Call(method: .post, key: try key(upload))
    call.query = [("uploadId", upload.uploadID)]
    call.headers["content-type"] = "application/xml"
    call.payload = Hexadecimal.text(SHA256.hash(data: body))
    call.body = OutgoingBody(body)
    call.isLengthy = true
    // A try whose answer was lost has done it; `confirm` tells.
    call.expected = ["NoSuchUpload", "NoSuchKey"]
    _ = try await client.send(call)
  }

  private func key(_ upload: UploadCheckpoint) throws(StorageError) -> String {
    try key(
      StoredObject(
        kind: upload.kind, name: upload.name, location: upload.location, bytes: upload.bytes,
        contentType: "", checksum: "", parts: []))
  }
}
