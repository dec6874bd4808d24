/// Keeps what was ordered of streams: that they are recorded, or aren't.
///
/// An order is its stream's, whoever has that: it holds until another one comes, or the stream is
/// over.
package protocol RecordingOrderStore: Sendable {
  /// Orders that a stream is recorded, or isn't, in place of what was ordered before.
  ///
  /// - Parameters:
  ///   - isRecorded: which of both.
  ///   - stream: that is meant, whether anybody publishes it or not.
  ///   - now: milliseconds since 1970.
  /// - Throws: why it could not be stored.
  func order(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError)

  /// What was ordered of a stream.
  ///
  /// - Returns: nil where nothing was, or the stream is over since.
  /// - Throws: why it can't be read.
  func order(of stream: StreamNumbers.Name, now: Int64) async throws(StoreError) -> Bool?

  /// A stream is over: what was ordered of it holds no longer.
  ///
  /// - Throws: why that could not be stored.
  func end(_ stream: StreamNumbers.Name) async throws(StoreError)
}

/// How long what was ordered of a stream is kept whose end nobody tells.
package enum RecordingOrderLife {
  /// In milliseconds.
  package static let longest: Int64 = 31 * 86_400_000
}
