import Glibc

/// Why a file of a recording can't be written or read.
package struct DiskError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was to be done.
  let call: String
  let path: String
  /// The system's number for it.
  package let code: Int32

  init(_ call: String, _ path: String, _ code: Int32 = errno) {
    self.call = call
    self.path = path
    self.code = code
  }

  /// Whether it is for want of room, which somebody can make.
  package var isForRoom: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

  /// Whether there is a file of that name already.
  var isForName: Bool { code == EEXIST }

  package var description: String {
    let words = unsafe String(cString: strerror(code))
    return "\(call) \(path): \(words)"
  }
}
