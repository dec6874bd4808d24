/// A place that finished recordings are kept in: a folder, a bucket, a chat.
///
/// All of it may be called from anywhere and as often as wanted: a call that was answered already
/// is answered again. A file that is given to `put` must not be written to any more, then or later:
/// a folder on the same disk takes it by a second name for the same bytes.
package protocol ObjectStorage: Sendable {
  /// Which of them it is: an object can be asked for where it was put.
  var kind: StorageKind { get }

  /// Uploads a file, or goes on where an earlier try got to.
  ///
  /// What the checkpoint says is not believed blindly: parts that the file or the storage no longer
  /// has are sent again. A put that was finished and not noticed is found, not repeated.
  ///
  /// - Parameters:
  ///   - path: a regular file; read as it is sent, never held in memory as a whole.
  ///   - name: what `ObjectName.problem` finds nothing wrong with, such as
  ///     `anna-ben/r7/recording.mp4`.
  ///   - contentType: such as `video/mp4`.
  ///   - checkpoint: the last one that `note` was given for this file and name.
  ///   - note: is given where the upload has got to, whenever that is worth keeping.
  /// - Returns: what to ask for the object with. The storage has said that it has all of its bytes.
  /// - Throws: `StorageError`; with `isRetryable` it is worth trying again, from the checkpoint.
  func put(
    _ path: String, as name: String, contentType: String, from checkpoint: UploadCheckpoint?,
    note: @Sendable (UploadCheckpoint) async -> Void
  ) async throws(StorageError) -> StoredObject

  /// Whether the storage, asked anew, has the object with its size and checksum.
  ///
  /// - Returns: false where it is gone or other bytes stand in its place.
  /// - Throws: `StorageError` where nobody knows.
  func confirm(_ object: StoredObject) async throws(StorageError) -> Bool

  /// Reads a part of an object.
  ///
  /// - Parameters:
  ///   - object: what `put` returned.
  ///   - range: of its bytes; no more than `ObjectRange.maximumBytes` of them.
  /// - Returns: exactly these bytes.
  /// - Throws: `.damaged` where the storage has others than were put there; `.notFound`.
  func read(_ object: StoredObject, range: Range<Int>) async throws(StorageError) -> [UInt8]

  /// Deletes an object; one that is gone already is deleted.
  func delete(_ object: StoredObject) async throws(StorageError)

  /// Ends an upload that will not go on, so that its parts take no room.
  func abandon(_ checkpoint: UploadCheckpoint) async throws(StorageError)

  /// A URL that people may open; nil if there is none.
  func address(_ object: StoredObject) -> String?
}

/// Which kind of storage something is in; the raw value is the configuration's and the API's.
package enum StorageKind: String, Codable, Sendable, CaseIterable {
  case local, s3, telegram
}

/// What part of an object can be read at once.
package enum ObjectRange {
  /// As it is held in memory.
  package static let maximumBytes = 64 << 20

  /// - Throws: `.outOfRange`, unless the range has sense for an object.
  static func check(_ range: Range<Int>, of object: StoredObject) throws(StorageError) {
    guard range.lowerBound >= 0, range.upperBound <= object.bytes, range.count <= maximumBytes
    else {
      throw .outOfRange(
        "bytes \(range.lowerBound) to \(range.upperBound) of \(object.name), which has"
          + " \(object.bytes)")
    }
  }
}
