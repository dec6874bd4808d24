import CLinux
import Glibc

/// A pipe through which bytes go from one socket to another inside the kernel.
///
/// It is filled only when it is empty, so that `wouldBlock` always speaks of the socket. Closed
/// with whatever is in it when it is let go.
package final class SplicePipe {
  private let readEnd: Int32
  private let writeEnd: Int32
  /// What it was given room for, in bytes; the kernel counts pages, of which a short packet takes
  /// one.
  package let capacityBytes: Int
  /// Bytes that stand in it.
  package private(set) var count = 0

  /// Makes an empty pipe.
  ///
  /// - Parameter bytes: the room to ask for; the kernel may grant less to a process that has many.
  /// - Throws: `SystemError` where the process or the machine has no descriptor left.
  package init(bytes: Int) throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    let made = unsafe ends.withUnsafeMutableBufferPointer { unsafe wl_pipe($0.baseAddress) }
    guard made == 0 else { throw SystemError("pipe2", errno) }
    (readEnd, writeEnd) = (ends[0], ends[1])
    // Refused, it has the kernel's usual 64 KiB.
    let granted = wl_pipe_resize(writeEnd, Int32(clamping: bytes))
    capacityBytes = granted > 0 ? Int(granted) : 64 << 10
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Takes what a socket has, as much as there is room for; the pipe has to be empty.
  ///
  /// - Returns: `.bytes`, fewer than there is room for also where more is waiting; `.wouldBlock`
  ///   where the socket has none; `.closed` at its end.
  package func fill(from socket: Int32) -> IOResult {
    precondition(count == 0, "a pipe that isn't empty says nothing of the socket")
    let result = SystemCall.splice(socket, to: writeEnd, count: capacityBytes)
    if case .bytes(let moved) = result { count = moved }
    return result
  }

  /// Hands a socket what stands in the pipe, as much as it takes.
  ///
  /// - Returns: `.bytes` with how many once the pipe is empty; `.wouldBlock` where the socket is
  ///   full (go on when it is writable), or `.failed`.
  package func drain(to socket: Int32) -> IOResult {
    var total = 0
    while count > 0 {
      switch SystemCall.splice(readEnd, to: socket, count: count) {
      case .bytes(let moved):
        count -= moved
        total += moved
      case .closed: return .failed(EPIPE)
      case .wouldBlock: return .wouldBlock
      case .failed(let error): return .failed(error)
      }
    }
    return .bytes(total)
  }
}
