import CLinux
import EventLoop
import Foundation
import Ingest

/// The listening sockets of one endpoint, one for each loop, before the loops have them.
struct ListenerSockets: Sendable {
  /// Where they listen: the real port, also where 0 was asked for.
  let address: SocketAddress
  /// Each to be taken over by `Socket(owning:)`, once.
  let descriptors: [Int32]

  /// Opens the sockets of an endpoint.
  ///
  /// - Parameters:
  ///   - key: of the configuration, for the error.
  ///   - endpoint: where to.
  ///   - count: how many loops.
  /// - Returns: nil for `off`.
  /// - Throws: `StartFailure` naming key and address: in use, not permitted, not ours.
  static func open(
    _ key: String, _ endpoint: Endpoint, count: Int
  ) throws(StartFailure) -> ListenerSockets? {
    guard case .on(let host, let port) = endpoint else { return nil }
    let candidates = try addresses(key, host, port)
    var failure: SystemError?
    for candidate in candidates {
      do throws(SystemError) {
        return try open(candidate, count: count)
      } catch {
        failure = error
        // A machine without IPv6 has no ::, and goes on with 0.0.0.0.
        guard host == nil, error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL else { break }
      }
    }
    throw StartFailure("\(key): \(endpoint): \(words(failure))")
  }

  private static func open(
    _ address: SocketAddress, count: Int
  ) throws(SystemError) -> ListenerSockets {
    if address.port != 0 { try probe(address) }
    let first = try Socket.listening(on: address)
    let real = first.localAddress
    var descriptors = [first.release()]
    do throws(SystemError) {
      for _ in 1..<max(1, count) {
        descriptors.append(try Socket.listening(on: real).release())
      }
    } catch {
      for descriptor in descriptors { close(descriptor) }
      throw error
    }
    return ListenerSockets(address: real, descriptors: descriptors)
  }

  /// Binds without `SO_REUSEPORT`, which would let two nodes of one user share a port unawares.
  private static func probe(_ address: SocketAddress) throws(SystemError) {
    let descriptor = CLinux.socket(
      address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError("socket", errno) }
    defer { close(descriptor) }
    var on: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
    let bound = address.bind(descriptor)
    guard bound == 0 else { throw SystemError("bind", errno) }
  }

  private static func addresses(
    _ key: String, _ host: String?, _ port: UInt16
  ) throws(StartFailure) -> [SocketAddress] {
    guard let host else {
      return ["::", "0.0.0.0"].compactMap { SocketAddress(host: $0, port: port) }
    }
    if let address = SocketAddress(host: host, port: port) { return [address] }
    let found = HostNames.addresses(of: host, port: port)
    guard !found.isEmpty else { throw StartFailure("\(key): \(host): there is no such host") }
    return found
  }

  private static func words(_ error: SystemError?) -> String {
    switch error?.code {
    case EADDRINUSE: return "the port is in use"
    case EACCES:
      return "this user may not listen there (ports below 1024 need CAP_NET_BIND_SERVICE)"
    case EADDRNOTAVAIL: return "this machine has no such address"
    default: return error.map { "\($0)" } ?? "can't be opened"
    }
  }
}
