package import CLinux
import Glibc
import Synchronization

/// What one read or write on a socket came to; "not yet" is a result, not an error.
package enum IOResult: Equatable, Sendable {
  case bytes(Int)
  case wouldBlock
  /// The peer has ended its side.
  case closed
  /// The call failed with this errno.
  case failed(Int32)
}

/// The system calls of the data path, in one place, so that a debug build can make one fail.
///
/// Interrupted calls are repeated here.
package enum SystemCall {
  /// Receives at most `buffer.count` bytes.
  package static func receive(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
  ) -> IOResult {
    while true {
      #if DEBUG
        if let error = SystemCallFault.strike() {
          if error == EINTR { continue }
          return result(-1, error)
        }
      #endif
      let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if count == 0 { return .closed }
      if count < 0, errno == EINTR { continue }
      return result(count, errno)
    }
  }

  /// Sends the bytes of a buffer, or as many as the socket takes now.
  package static func send(
    _ descriptor: Int32, _ buffer: UnsafeRawBufferPointer
  ) -> IOResult {
    while true {
      var length = buffer.count
      #if DEBUG
        if let error = SystemCallFault.strike() {
          if error == EINTR { continue }
          if error != SystemCallFault.shortWrite { return result(-1, error) }
          length = min(length, max(1, length / 2))
        }
      #endif
      let flags = Int32(MSG_NOSIGNAL)
      let count = unsafe Glibc.send(descriptor, buffer.baseAddress, length, flags)
      if count < 0, errno == EINTR { continue }
      return result(count, errno)
    }
  }

  /// Sends several buffers with one call, in order, or as much as the socket takes now.
  package static func send(
    _ descriptor: Int32, gathered vectors: UnsafeMutableBufferPointer<iovec>
  ) -> IOResult {
    while true {
      #if DEBUG
        if let error = SystemCallFault.strike() {
          if error == EINTR { continue }
          if error != SystemCallFault.shortWrite { return result(-1, error) }
        }
      #endif
      var message = unsafe msghdr()
      unsafe message.msg_iov = vectors.baseAddress
      unsafe message.msg_iovlen = vectors.count
      let count = unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
      if count < 0, errno == EINTR { continue }
      return result(count, errno)
    }
  }

  /// Moves at most `count` bytes between a pipe and a socket, inside the kernel.
  ///
  /// Writing to a socket whose peer has reset it raises SIGPIPE where that isn't ignored: see
  /// `SplicePool`.
  package static func splice(_ source: Int32, to target: Int32, count: Int) -> IOResult {
    while true {
      var length = count
      #if DEBUG
        if let error = SystemCallFault.strike() {
          if error == EINTR { continue }
          if error != SystemCallFault.shortWrite { return result(-1, error) }
          length = min(length, max(1, length / 2))
        }
      #endif
      let moved = wl_splice(source, target, UInt(length))
      if moved == 0 { return .closed }
      if moved < 0, errno == EINTR { continue }
      return result(moved, errno)
    }
  }

  /// Accepts a connection: its descriptor and the peer's address, or the errno.
  package static func accept(_ listener: Int32) -> Result<(Int32, SocketAddress), SystemError> {
    while true {
      #if DEBUG
        if let error = SystemCallFault.strike() {
          if error == EINTR { continue }
          return .failure(SystemError("accept", error))
        }
      #endif
      var address = SocketAddress()
      let descriptor = unsafe address.withMutableSockaddr { unsafe wl_accept(listener, $0, $1) }
      if descriptor >= 0 { return .success((descriptor, address)) }
      let error = errno
      if error == EINTR { continue }
      return .failure(SystemError("accept", error))
    }
  }

  private static func result(_ count: Int, _ error: Int32) -> IOResult {
    if count >= 0 { return .bytes(count) }
    return error == EAGAIN ? .wouldBlock : .failed(error)
  }
}

/// A system call that failed: which, with what, and about which thing.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  package let call: String
  package let code: Int32
  package let subject: String

  package init(_ call: String, _ code: Int32, _ subject: String = "") {
    self.call = call
    self.code = code
    self.subject = subject
  }

  package var description: String {
    let words = unsafe String(cString: strerror(code))
    return subject.isEmpty ? "\(call): \(words)" : "\(subject): \(call): \(words)"
  }
}

#if DEBUG
  /// Makes the n-th system call of the data path, counted from now over all threads, fail.
  package enum SystemCallFault {
    /// Instead of an errno: a send takes only half of what it was given.
    package static let shortWrite: Int32 = -1
    private static let countdown = Atomic<Int>(0)
    private static let code = Atomic<Int32>(0)
    private static let strikes = Atomic<Int>(0)

    /// Arms the seam: call number `n` (1 is the next one) answers `error`.
    package static func arm(_ n: Int, _ error: Int32) {
      code.store(error, ordering: .relaxed)
      countdown.store(n, ordering: .releasing)
    }

    /// Disarms it, and tells whether it had struck.
    @discardableResult
    package static func disarm() -> Bool {
      countdown.store(0, ordering: .relaxed)
      return strikes.exchange(0, ordering: .relaxed) > 0
    }

    static func strike() -> Int32? {
      guard countdown.load(ordering: .relaxed) > 0 else { return nil }
      guard countdown.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else {
        return nil
      }
      strikes.add(1, ordering: .relaxed)
      return code.load(ordering: .relaxed)
    }
  }
#endif
