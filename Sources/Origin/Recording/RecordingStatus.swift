import Recording
import Store

/// A recording that is under way, as the status page shows it.
package struct RecordingStatus: Codable, Equatable, Sendable {
  package var id: String
  package var wedding: String
  package var camera: String
  package var quality: String
  /// `recording`, `processing` or `deleting`.
  package var state: String
  /// Whether somebody writes it now; false while its publisher is away or the disk is full.
  package var isWriting: Bool
  package var durationMilliseconds: Int64
  package var bytes: Int64
  /// What is being done with it, and how far that has come: 0...1.
  package var step: String?
  package var progress: Double?
  /// Why it waits, or why the last attempt failed.
  package var trouble: String?

  package init(
    id: String, wedding: String, camera: String, quality: String, state: String,
    isWriting: Bool = false, durationMilliseconds: Int64 = 0, bytes: Int64 = 0,
    step: String? = nil, progress: Double? = nil, trouble: String? = nil
  ) {
    self.id = id
    self.wedding = wedding
    self.camera = camera
    self.quality = quality
    self.state = state
    self.isWriting = isWriting
    self.durationMilliseconds = durationMilliseconds
    self.bytes = bytes
    self.step = step
    self.progress = progress
    self.trouble = trouble
  }

  enum CodingKeys: String, CodingKey {
    case id = "recording_id"
    case wedding, camera, quality, state
    case isWriting = "writing"
    case durationMilliseconds = "duration_ms"
    case bytes, step, progress, trouble
  }
}

extension RecordingStatus {
  init(_ view: RecordingView) {
    self.init(
      id: view.record.id, wedding: view.record.stream.wedding, camera: view.record.stream.camera,
      quality: view.record.quality, state: view.record.state.rawValue,
      isWriting: view.isWriting, durationMilliseconds: view.document.milliseconds,
      bytes: Int64(view.document.partBytes), step: view.step, progress: view.progress,
      trouble: view.failure ?? (view.record.state == .recording ? view.document.reason : nil))
  }
}
