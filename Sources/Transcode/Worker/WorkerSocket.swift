#if canImport(Glibc)
  import Glibc
#endif

/// The child's end of the socket between a worker and its parent.
enum WorkerSocket {
  /// Writes all bytes.
  ///
  /// - Parameters:
  ///   - bytes: waits while the socket is full of them.
  ///   - descriptor: the socket.
  /// - Returns: false if the other end is closed.
  static func write(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe send(
          descriptor, buffer.baseAddress.map { unsafe $0 + sent }, buffer.count - sent,
          CInt(MSG_NOSIGNAL))
      }
      if count > 0 {
        sent += count
      } else if count == 0 || errno != EINTR {
        return false
      }
    }
    return true
  }
}
