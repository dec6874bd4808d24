import Dispatch
import Glibc

/// Looks host names up.
package enum HostNames {
  /// The addresses of a host, IPv4 first, waiting for the answer; empty where it is unknown.
  package static func addresses(of host: String, port: UInt16) -> [SocketAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
    defer { unsafe freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var entry = unsafe list
    while let current = unsafe entry {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let named = unsafe getnameinfo(
        current.pointee.ai_addr, current.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
        NI_NUMERICHOST)
      if named == 0 {
        let end = text.firstIndex(of: 0) ?? text.endIndex
        let name = String(decoding: text[..<end].map(UInt8.init(bitPattern:)), as: UTF8.self)
        if let address = SocketAddress(host: name, port: port), !found.contains(address) {
          found.append(address)
        }
      }
      unsafe entry = current.pointee.ai_next
    }
    return found.filter { $0.family == AF_INET } + found.filter { $0.family != AF_INET }
  }

  /// The same without making a thread of the caller wait.
  package static func lookUp(_ host: String, port: UInt16) async -> [SocketAddress] {
    await withCheckedContinuation { continuation in
      lookUp(host, port: port) { continuation.resume(returning: $0) }
    }
  }

  /// The same for those who don't wait.
  ///
  /// - Parameters:
  ///   - host: a name.
  ///   - port: of all addresses.
  ///   - found: called once, on some thread.
  package static func lookUp(
    _ host: String, port: UInt16, found: @escaping @Sendable ([SocketAddress]) -> Void
  ) {
    DispatchQueue.global().async { found(addresses(of: host, port: port)) }
  }
}
