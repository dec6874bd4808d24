/// Why nothing was made of a recording; its parts are as they were.
package struct RemuxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is; stable, for metrics and the API.
  package enum Code: String, Sendable, CaseIterable {
    /// There is nothing in the recording that an MP4 can have.
    case noMedia = "no_media"
    /// A part is not there.
    case missingPart = "missing_part"
    /// The disk has no room for the movies.
    case full
    /// The folder can't be read or written.
    case folder
    /// The system has no descriptor, process or memory left for a worker.
    case resources
    /// The worker crashed, or said what makes no sense.
    case crashed
    /// The worker stood still, and was ended.
    case hung
    /// libav or the system failed at what should work.
    case failed
    /// The task was cancelled.
    case cancelled
  }

  package var code: Code
  /// A sentence for a person, without an end mark.
  package var message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// Whether the same may succeed later, without anybody doing something about it.
  ///
  /// A worker that has crashed on a recording will most likely crash on it again: try a few times.
  package var canRetry: Bool {
    switch code {
    case .full, .folder, .resources, .crashed, .hung, .failed, .cancelled: true
    case .noMedia, .missingPart: false
    }
  }

  package var description: String { message }
}
