import CLinux
import EventLoop
import Foundation
import Ingest

/// The listening sockets of one endpoint, one for each loop, before the loops have them.
struct ListenerSockets: Equatable, Sendable {
  /// Where they listen: the real port, also where 0 was asked for.
  let address: SocketAddress
  /// Each to be taken over by `Socket(owning:)`, once.
  let descriptors: [Int32]
  /// How many loops they are for.
  let loops: Int

  /// The sockets of one loop; to be taken over once.
  ///
  /// Those that don't listen yet do so now: a process that fails to start must not have had
  /// connections that another one would have taken.
  func descriptors(of loop: Int) -> [Int32] {
    let own = descriptors.indices.filter { $0 % loops == loop }.map { descriptors[$0] }
    for descriptor in own { _ = listen(descriptor, 4_096) }
    return own
  }

  /// Opens the sockets of an endpoint.
  ///
  /// - Parameters:
  ///   - key: of the configuration, for the error.
  ///   - endpoint: where to.
  ///   - count: how many loops.
  ///   - given: the sockets of this endpoint that another process has opened; they are closed where
  ///     the endpoint is elsewhere now.
  /// - Returns: nil for `off`.
  /// - Throws: `StartFailure` naming key and address: in use, not permitted, not ours.
  static func open(
    _ key: String, _ endpoint: Endpoint, count: Int, given: Inheritance.Place? = nil
  ) throws(StartFailure) -> ListenerSockets? {
    guard case .on(let host, let port) = endpoint else {
      drop(given)
      return nil
    }
    let candidates = try addresses(key, host, port)
    var failure: SystemError?
    if let given {
      do throws(SystemError) {
        if let taken = try take(given, candidates, count: count) { return taken }
      } catch {
        throw StartFailure("\(key): \(endpoint): \(words(error, candidates.first))")
      }
      drop(given)
    }
    var failed: SocketAddress?
    for candidate in candidates {
      do throws(SystemError) {
        return try open(candidate, count: count)
      } catch {
        (failure, failed) = (error, candidate)
        // A machine without IPv6 has no ::, and goes on with 0.0.0.0.
        guard host == nil, error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL else { break }
      }
    }
    throw StartFailure("\(key): \(endpoint): \(words(failure, failed))")
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
    return ListenerSockets(address: real, descriptors: descriptors, loops: max(1, count))
  }

  /// Takes over the sockets of another process, with one more for each loop that has none then.
  private static func take(
    _ given: Inheritance.Place, _ candidates: [SocketAddress], count: Int
  ) throws(SystemError) -> ListenerSockets? {
    guard let first = given.descriptors.first else { return nil }
    let real = SocketAddress(local: first)
    let fits = candidates.contains {
      $0.family == real.family && $0.host == real.host && ($0.port == 0 || $0.port == real.port)
    }
    guard fits else { return nil }
    var descriptors = given.descriptors
    while descriptors.count < count {
      descriptors.append(try Socket.bound(to: real).release())
    }
    return ListenerSockets(address: real, descriptors: descriptors, loops: max(1, count))
  }

  private static func drop(_ given: Inheritance.Place?) {
    for descriptor in given?.descriptors ?? [] { close(descriptor) }
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

  private static func words(_ error: SystemError?, _ address: SocketAddress?) -> String {
    switch error?.code {
    case EADDRINUSE:
      let holder = address.flatMap { PortHolder.find($0) }
      let by = holder.map { " by \($0.name) (process \($0.process))" } ?? ""
      return "the port is in use\(by); end what listens there, or give this node another port"
    case EACCES:
      return "this user may not listen there (ports below 1024 need CAP_NET_BIND_SERVICE)"
    case EADDRNOTAVAIL: return "this machine has no such address"
    default: return error.map { "\($0)" } ?? "can't be opened"
    }
  }
}
