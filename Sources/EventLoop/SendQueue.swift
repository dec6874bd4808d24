import CLinux
import Glibc

/// Bytes on their way out of one socket: shared buffers, sent in order with gathered writes.
///
/// Nothing is copied: a buffer that a hundred players wait for is held a hundred times and stands
/// in memory once.
package struct SendQueue {
  /// Buffers per call; Linux takes 1,024, and more than 64 seldom fit a socket's buffer.
  private static let gather = 64

  private var buffers: [[UInt8]] = []
  /// The first buffer not sent yet, and how much of it is gone.
  private var head = 0
  private var headOffset = 0
  /// How many bytes wait.
  package private(set) var count = 0

  package init() {}

  package var isEmpty: Bool { count == 0 }

  /// Puts a buffer at the end of the queue.
  package mutating func append(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    buffers.append(bytes)
    count += bytes.count
  }

  /// Sends what the socket takes.
  ///
  /// - Returns: `.bytes` with how much went out once the queue is empty, `.wouldBlock` when the
  ///   socket is full (go on when it is writable), or `.failed`.
  package mutating func flush(to descriptor: Int32) -> IOResult {
    var sent = 0
    while count > 0 {
      let result = sendOnce(descriptor)
      guard case .bytes(let bytes) = result else { return result }
      sent += bytes
      advance(bytes)
    }
    return .bytes(sent)
  }

  /// Calls `body` with the waiting bytes, buffer by buffer, until it takes less than a whole one.
  ///
  /// For a socket whose bytes go through TLS first.
  ///
  /// - Parameter body: gets bytes and returns how many it took.
  package mutating func drain(_ body: (borrowing Span<UInt8>) -> Int) {
    while count > 0 {
      let buffer = buffers[head]
      let rest = buffer.span.extracting(droppingFirst: headOffset)
      let taken = body(rest)
      let left = rest.count - taken
      advance(taken)
      if left > 0 { return }
    }
  }

  /// Forgets what waits.
  package mutating func removeAll() {
    buffers.removeAll()
    head = 0
    headOffset = 0
    count = 0
  }

  private func sendOnce(_ descriptor: Int32) -> IOResult {
    let used = min(buffers.count - head, Self.gather)
    return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: used) { vectors in
      for index in 0..<used {
        let skip = index == 0 ? headOffset : 0
        // The queue holds the array and nobody changes it, so its storage stays where it is
        // for the length of the call.
        unsafe buffers[head + index].withUnsafeBufferPointer { bytes in
          let base = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress)
          unsafe vectors.initializeElement(
            at: index,
            to: iovec(iov_base: base.map { unsafe $0 + skip }, iov_len: bytes.count - skip))
        }
      }
      return unsafe SystemCall.send(descriptor, gathered: vectors)
    }
  }

  private mutating func advance(_ bytes: Int) {
    count -= bytes
    var left = bytes
    while left > 0 {
      let here = buffers[head].count - headOffset
      if left < here {
        headOffset += left
        break
      }
      left -= here
      buffers[head] = []
      head += 1
      headOffset = 0
    }
    if head == buffers.count {
      buffers.removeAll(keepingCapacity: head <= 256)
      head = 0
    } else if head > 256 {
      buffers.removeFirst(head)
      head = 0
    }
  }
}
