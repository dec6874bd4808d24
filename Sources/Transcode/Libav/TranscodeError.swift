import CFFmpeg

/// Why media could not be read, decoded, encoded or handed on.
package struct TranscodeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is; the raw value is stable and also a worker's exit status.
  package enum Code: UInt8, Sendable, CaseIterable {
    /// The arguments make no sense; nothing was done.
    case usage = 64
    /// The input is not media that can be read, or is broken.
    case input = 65
    /// The system lacks an encoder or a decoder.
    case codecMissing = 69
    /// libav failed at something that should work.
    case libav = 70
    /// A system call failed.
    case system = 71
    /// The disk has no room.
    case full = 73
    /// The reader of the output went away; not a fault.
    case outputClosed = 74
  }

  package var code: Code
  /// A sentence for a person, without an end mark.
  package var message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }

  /// What libav said, in its own words.
  ///
  /// - Parameters:
  ///   - result: an AVERROR, below 0.
  ///   - operation: what was tried, such as `opening the encoder libx264`.
  ///   - code: whose fault it is.
  /// - Returns: an error that also has the last line libav logged, if there is one.
  static func libav(_ result: CInt, _ operation: String, _ code: Code = .libav) -> TranscodeError {
    let logged = LibavLog.takeLast()
    return TranscodeError(
      code, "\(operation): \(text(of: result))" + (logged.isEmpty ? "" : " (\(logged))"))
  }

  /// The words of an AVERROR.
  static func text(of result: CInt) -> String {
    let bytes = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let base = buffer.baseAddress, unsafe av_strerror(result, base, 256) == 0 else {
        return "error \(result)"
      }
      return unsafe String(cString: base)
    }
    return bytes
  }

  /// An error of a system call, with errno's words.
  static func system(_ operation: String, errno number: CInt) -> TranscodeError {
    TranscodeError(.system, "\(operation): \(text(of: -number))")
  }
}

extension CInt {
  /// Throws libav's own words if this result is an AVERROR.
  func orThrow(
    _ operation: @autoclosure () -> String, _ code: TranscodeError.Code = .libav
  ) throws(TranscodeError) {
    if self < 0 { throw TranscodeError.libav(self, operation(), code) }
  }
}
