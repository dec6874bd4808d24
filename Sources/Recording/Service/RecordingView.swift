package import Store

/// A recording as it stands at one moment, for those who ask.
package struct RecordingView: Sendable, Equatable {
  package var record: RecordingRecord
  package var document: RecordingDocument
  /// What is being done with it, where something is, such as `remux`.
  package var step: String?
  /// How far that has come: 0...1.
  package var progress: Double?
  /// How often it has failed, and why it did last.
  package var attempts: Int
  package var failure: String?
  /// When it is tried again, in milliseconds since 1970.
  package var retryAt: Int64?
  /// Whether somebody writes it now; false while its publisher is away.
  package var isWriting: Bool
  /// Where people find its movie, once there is one; empty before.
  package var address: String
  /// Where viewers play it from this node, with its pictures beside it; empty before.
  package var playback: String
}
