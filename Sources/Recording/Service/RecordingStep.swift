/// What is to be done with a recording that is over, in this order.
enum RecordingStep: String, Sendable, CaseIterable {
  /// Its parts become one MP4, one for HLS, thumbnails and a sprite sheet.
  case remux
  /// These go to the storage.
  case upload
  /// The storage is asked for size and checksum of each.
  case confirm
  /// What the storage has is deleted here.
  case clean
  /// Not one of the others: all of it is deleted, here and in the storage.
  case remove

  static let first = RecordingStep.remux
}
