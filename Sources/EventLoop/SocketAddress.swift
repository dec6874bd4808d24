import CLinux
import Glibc

/// An IPv4 or IPv6 address with a port, or nothing yet.
package struct SocketAddress: Sendable {
  private var storage = sockaddr_storage()
  private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

  /// An unset address with room for any.
  package init() {}

  /// Reads a numeric address: `127.0.0.1`, `::1` or `[::1]`.
  ///
  /// - Returns: nil where `host` is not a numeric address.
  package init?(host: some StringProtocol, port: UInt16) {
    let bare =
      host.hasPrefix("[") && host.hasSuffix("]")
      ? String(host.dropFirst().dropLast()) : String(host)
    var v4 = in_addr()
    var v6 = in6_addr()
    if unsafe inet_pton(AF_INET, bare, &v4) == 1 {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr = v4
      store(address)
    } else if unsafe inet_pton(AF_INET6, bare, &v6) == 1 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_addr = v6
      store(address)
    } else {
      return nil
    }
  }

  /// The address that a socket is bound to; unset for what is no socket.
  package init(local descriptor: Int32) {
    self.init()
    let result = unsafe withMutableSockaddr { unsafe getsockname(descriptor, $0, $1) }
    if result != 0 { self = SocketAddress() }
  }

  private mutating func store<Address>(_ address: Address) {
    unsafe withUnsafeMutableBytes(of: &storage) { target in
      unsafe withUnsafeBytes(of: address) { unsafe target.copyMemory(from: $0) }
    }
    length = socklen_t(MemoryLayout<Address>.size)
  }

  /// `AF_INET`, `AF_INET6`, or 0 while unset.
  package var family: Int32 { Int32(storage.ss_family) }

  package var port: UInt16 {
    unsafe withUnsafeBytes(of: storage) { bytes in
      // The port stands at the same place in both families.
      unsafe UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }
  }

  /// The numeric host without brackets; an IPv4-mapped IPv6 address is written as IPv4.
  package var host: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let size = socklen_t(text.count)
    let written = unsafe withUnsafeBytes(of: storage) { bytes -> Bool in
      switch family {
      case AF_INET:
        unsafe inet_ntop(AF_INET, bytes.baseAddress.map { unsafe $0 + 4 }, &text, size) != nil
      case AF_INET6:
        unsafe inet_ntop(AF_INET6, bytes.baseAddress.map { unsafe $0 + 8 }, &text, size) != nil
      default: false
      }
    }
    guard written else { return "" }
    let end = text.firstIndex(of: 0) ?? text.endIndex
    let host = String(decoding: text[..<end].map(UInt8.init(bitPattern:)), as: UTF8.self)
    return host.hasPrefix("::ffff:") && host.contains(".") ? String(host.dropFirst(7)) : host
  }

  /// Binds a socket to this address.
  ///
  /// - Returns: 0, or -1 with `errno`.
  package func bind(_ descriptor: Int32) -> Int32 {
    unsafe withSockaddr { unsafe Glibc.bind(descriptor, $0, $1) }
  }

  /// Connects a socket to this address.
  ///
  /// - Returns: 0, or -1 with `errno`.
  package func connect(_ descriptor: Int32) -> Int32 {
    unsafe withSockaddr { unsafe Glibc.connect(descriptor, $0, $1) }
  }

  func withSockaddr<R>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> R
  ) rethrows -> R {
    try unsafe withUnsafePointer(to: storage) { pointer in
      try unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        try unsafe body($0, length)
      }
    }
  }

  mutating func withMutableSockaddr<R>(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> R
  ) -> R {
    length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe withUnsafeMutablePointer(to: &length) { unsafe body(address, $0) }
      }
    }
  }
}

extension SocketAddress {
  /// The address as IPv6, 16 bytes; IPv4 is mapped, and an unset one is all zero.
  package var mappedBytes: [UInt8] {
    unsafe withUnsafeBytes(of: storage) { bytes in
      switch family {
      case AF_INET:
        unsafe [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + [UInt8](bytes[4..<8])
      case AF_INET6: unsafe [UInt8](bytes[8..<24])
      default: [UInt8](repeating: 0, count: 16)
      }
    }
  }

  /// Feeds the address without its port to a hasher: the same for all connections of a host.
  package func hashHost(into hasher: inout Hasher) {
    unsafe withUnsafeBytes(of: storage) { bytes in
      switch family {
      case AF_INET: unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes[4..<8]))
      case AF_INET6: unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes[8..<24]))
      default: break
      }
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  package var description: String {
    let host = host
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

extension SocketAddress: Equatable {
  package static func == (left: SocketAddress, right: SocketAddress) -> Bool {
    left.family == right.family && left.port == right.port && left.host == right.host
  }
}
