import Access
package import EventLoop
import HTTPServer
package import Media

/// Streams that aren't in the table and yet aren't gone: who asks for them is told to ask again.
///
/// Players and CDNs take a 404 for the end; after a restart it would be there until each publisher
/// is back and its first segment is made.
package struct ExpectedStreams: Sendable {
  private let returning: Set<StreamKey>
  private let until: MonotonicTime
  private let isOpening: @Sendable (_ wedding: String) -> Bool

  /// - Parameters:
  ///   - returning: streams that were on the air when the process before this one ended; their
  ///     publishers are most likely on their way.
  ///   - until: when they aren't expected any more.
  ///   - isOpening: whether a wedding's program is here, with cameras on the air.
  package init(
    _ returning: Set<StreamKey> = [], until: MonotonicTime = .now,
    isOpening: @escaping @Sendable (_ wedding: String) -> Bool = { _ in false }
  ) {
    self.returning = returning
    self.until = until
    self.isOpening = isOpening
  }

  /// What somebody gets who asks for a stream that there isn't.
  ///
  /// - Parameters:
  ///   - key: of the stream; the camera is `program` where the wedding's own address was asked for.
  ///   - now: by the monotonic clock.
  /// - Returns: nil where nobody expects it.
  func answer(_ key: StreamKey, at now: MonotonicTime = .now) -> PreparedResponse? {
    let isProgram = key.camera == Claims.programCamera
    if isProgram, isOpening(key.wedding) { return ViewerErrors.starting }
    guard now < until, !returning.isEmpty else { return nil }
    if returning.contains(key) { return ViewerErrors.returning }
    // As long as a wedding has one camera, that is its program.
    guard isProgram, let main = StreamKey(wedding: key.wedding), returning.contains(main) else {
      return nil
    }
    return ViewerErrors.returning
  }
}
