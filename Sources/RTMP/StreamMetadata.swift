import Bytes

/// What an encoder says of its stream in `onMetaData`, as far as somebody here needs it.
///
/// It is a hint and no more: some encoders say nothing, and some what isn't true.
package struct StreamMetadata: Equatable, Sendable {
  /// What the video encoder is set to, in bits per second; nil where it doesn't say.
  package var videoBitrate: Int?

  package init(videoBitrate: Int? = nil) { self.videoBitrate = videoBitrate }

  /// Reads a data message; nil for another one, or one that can't be read.
  ///
  /// - Parameter payload: AMF0: the handler's name, then an object.
  package init?(_ payload: borrowing Span<UInt8>) {
    var reader = AMFReader()
    var cursor = ByteCursor()
    do throws(AMFError) {
      guard try reader.next(payload, &cursor)?.string == "onMetaData",
        let members = try reader.next(payload, &cursor)?.object
      else { return nil }
      // Kilobits per second; no camera sends a gigabit.
      if let rate = members["videodatarate"]?.number, rate >= 1, rate <= 1_000_000 {
        videoBitrate = Int(rate * 1_000)
      }
    } catch {
      return nil
    }
  }
}
