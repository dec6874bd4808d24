/// Whether a program goes back to a camera that was lost, once it is live again.
package enum CameraReturn: Sendable, Equatable {
  case never
  /// With its first segment.
  case whenLive
  /// When it has been live for so many milliseconds.
  case after(milliseconds: Int64)
}
