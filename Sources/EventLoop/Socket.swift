import CLinux
import Glibc

/// The owner of one descriptor: it is closed when the owner ends.
package struct Socket: ~Copyable {
  package let descriptor: Int32

  /// Takes over an open descriptor.
  package init(owning descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Gives the descriptor away; the caller closes it.
  package consuming func release() -> Int32 {
    let descriptor = descriptor
    discard self
    return descriptor
  }

  /// A listening TCP socket, non-blocking, shared among loops by `SO_REUSEPORT`.
  ///
  /// An IPv6 wildcard takes IPv4 connections too.
  ///
  /// - Parameters:
  ///   - address: where to listen; port 0 takes a free one (see `localAddress`).
  ///   - backlog: connections the kernel holds until they are accepted.
  /// - Returns: the socket; connections wait in its backlog until they are accepted.
  /// - Throws: `SystemError` naming the address (in use, not permitted, not here).
  package static func listening(
    on address: SocketAddress, backlog: Int32 = 4096
  ) throws(SystemError) -> Socket {
    let socket = try bound(to: address)
    guard listen(socket.descriptor, backlog) == 0 else {
      throw SystemError("listen", errno, "\(address)")
    }
    return socket
  }

  /// A TCP socket that could listen, and gets no connection until it does.
  ///
  /// - Throws: `SystemError` naming the address.
  package static func bound(to address: SocketAddress) throws(SystemError) -> Socket {
    let socket = try open(address.family)
    try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
    try socket.set(SOL_SOCKET, SO_REUSEPORT, 1)
    if address.family == AF_INET6 {
      try socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0)
    }
    let bound = address.bind(socket.descriptor)
    guard bound == 0 else { throw SystemError("bind", errno, "\(address)") }
    return socket
  }

  /// A TCP socket on its way to `address`: writable once connected, then ask `pendingError`.
  ///
  /// - Returns: the socket, connected or still connecting.
  /// - Throws: `SystemError` where the address can't be reached at all.
  package static func connecting(to address: SocketAddress) throws(SystemError) -> Socket {
    let socket = try open(address.family)
    try socket.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    let result = address.connect(socket.descriptor)
    guard result == 0 || errno == EINPROGRESS else {
      throw SystemError("connect", errno, "\(address)")
    }
    return socket
  }

  /// A socket on its way to a Unix socket in the file system.
  ///
  /// - Returns: the socket, connected or still connecting.
  /// - Throws: `SystemError` naming the path, also where it is longer than 107 bytes.
  package static func connecting(toUnix path: String) throws(SystemError) -> Socket {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard bytes.count < room else { throw SystemError("connect", ENAMETOOLONG, path) }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let socket = try open(AF_UNIX)
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = unsafe withUnsafePointer(to: address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(socket.descriptor, $0, size)
      }
    }
    guard result == 0 || errno == EINPROGRESS else {
      throw SystemError("connect", errno, path)
    }
    return socket
  }

  private static func open(_ family: Int32) throws(SystemError) -> Socket {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(family, kind, 0)
    guard descriptor >= 0 else { throw SystemError("socket", errno) }
    return Socket(owning: descriptor)
  }

  /// Sets an integer option.
  package func set(_ level: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
    var value = value
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe setsockopt(descriptor, level, option, &value, size) == 0 else {
      throw SystemError("setsockopt \(option)", errno)
    }
  }

  /// The address the socket is bound to.
  package var localAddress: SocketAddress { SocketAddress(local: descriptor) }

  /// The outcome of a connect: 0, or its errno; reading it clears it.
  package var pendingError: Int32 {
    var error: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
    return error
  }
}
