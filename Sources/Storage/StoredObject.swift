/// What a storage has: kept as JSON in a recording's row, and given back to ask for the bytes.
package struct StoredObject: Codable, Equatable, Sendable {
  package var kind: StorageKind
  package var name: String
  /// Where in the storage it is, in the storage's own words: `bucket/key`, or a chat.
  ///
  /// So that it is found there after the configuration has changed.
  package var location: String
  package var bytes: Int
  package var contentType: String
  /// SHA-256 of all bytes, as 64 hexadecimal digits.
  package var checksum: String
  /// In order, without gaps; one where the storage takes an object as a whole.
  package var parts: [StoredPart]

  package init(
    kind: StorageKind, name: String, location: String, bytes: Int, contentType: String,
    checksum: String, parts: [StoredPart]
  ) {
    self.kind = kind
    self.name = name
    self.location = location
    self.bytes = bytes
    self.contentType = contentType
    self.checksum = checksum
    self.parts = parts
  }
}

/// A part of an object, as it was sent.
package struct StoredPart: Codable, Equatable, Sendable {
  package var bytes: Int
  /// SHA-256, as 64 hexadecimal digits.
  package var checksum: String
  /// What the storage calls it: an ETag, a file id; empty where it has no name of its own.
  package var reference: String
  /// The message that carries it, where it is one.
  package var message: Int?

  package init(bytes: Int, checksum: String, reference: String, message: Int? = nil) {
    self.bytes = bytes
    self.checksum = checksum
    self.reference = reference
    self.message = message
  }
}

/// How far an upload has got: kept as JSON in a job's row, so that it goes on after a restart.
package struct UploadCheckpoint: Codable, Equatable, Sendable {
  package var kind: StorageKind
  package var name: String
  /// As in `StoredObject`.
  package var location: String
  /// Of the whole file: with another size it is another file, and the upload begins anew.
  package var bytes: Int
  /// What the storage calls the upload; empty where it has no name.
  package var uploadID: String
  /// How long each part but the last one is.
  package var partBytes: Int
  /// The parts that the storage has, from the first on.
  package var parts: [StoredPart]

  package init(
    kind: StorageKind, name: String, location: String, bytes: Int, uploadID: String,
    partBytes: Int, parts: [StoredPart] = []
  ) {
    self.kind = kind
    self.name = name
    self.location = location
    self.bytes = bytes
    self.uploadID = uploadID
    self.partBytes = partBytes
    self.parts = parts
  }

  /// How many bytes the storage has.
  package var bytesSent: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// 0...1.
  package var progress: Double { bytes > 0 ? min(1, Double(bytesSent) / Double(bytes)) : 0 }
}
