import EventLoop
import Glibc
import TLS

// Which origin has the connection.
extension ProxiedConnection {
  /// Asks for an origin that hasn't been tried, and connects to it.
  func connect() {
    guard stage == .connecting else { return }
    guard MonotonicTime.now - readyAt < proxy.configuration.admitWithin,
      let next = proxy.handlers.place(peer, excluded)
    else { return end(.noOrigin, words.isEmpty ? "there is no origin with room" : words) }
    target = next
    if let address = SocketAddress(host: next.host, port: next.port) {
      return found([address], for: next.name)
    }
    let (mailbox, id, name) = (proxy.loop.mailbox, id, next.name)
    HostNames.lookUp(next.host, port: next.port) { addresses in
      mailbox.submit {
        $0.local(TCPProxy.self)?.connection(id)?.found(addresses, for: name)
      }
    }
  }

  private func found(_ addresses: [SocketAddress], for name: String) {
    guard stage == .connecting, origin == nil, target?.name == name else { return }
    candidates = addresses.reversed()
    approach(after: "unknown host", "its name is unknown")
  }

  /// Connects to the next address of the origin; without one, to another origin.
  private func approach(after reason: String, _ cause: String) {
    guard let target, let address = candidates.popLast() else { return exclude(reason, cause) }
    var tls: TLSSession?
    if let context = target.tls {
      tls = TLSSession(
        client: context, serverName: target.serverName ?? target.host, buffers: proxy.buffers)
      guard tls != nil else { return end(.exhausted, "there is no memory left for TLS") }
    }
    do throws(SystemError) {
      let end = ProxyEnd(
        try Socket.connecting(to: address), .origin, tls: tls, isConnected: false, on: proxy.loop)
      try proxy.loop.add(end)
      end.owner = self
      (origin, approached) = (end, address)
      // In this turn's terms a deadline might be over already.
      proxy.loop.setDeadline(end, .now + proxy.configuration.connectTimeout)
    } catch {
      guard error.code != EMFILE, error.code != ENFILE else {
        return end(.exhausted, "there is no descriptor left for an origin")
      }
      approach(after: "unreachable", "\(error)")
    }
  }

  /// The origin's socket can be written to for the first time, or has failed.
  func connected(_ end: ProxyEnd) {
    let socket = Socket(owning: end.descriptor)
    let error = socket.pendingError
    _ = socket.release()
    guard error == 0 else {
      return failed("unreachable", SystemError("connect", error).description)
    }
    end.isConnected = true
    if proxy.configuration.sendsProxyHeader {
      let header = ProxyHeader.version2(source: peer, destination: approached)
      // A socket that has just been connected has room for it. It goes ahead of TLS.
      let result = unsafe header.withUnsafeBytes { unsafe SystemCall.send(end.descriptor, $0) }
      guard result == .bytes(header.count) else {
        return failed("lost", "it left at once")
      }
    }
    guard end.tls != nil else { return open(end) }
    originSpoke(end)
  }

  /// Something came of an origin that isn't there yet: of its TLS handshake, or of its end.
  func originSpoke(_ end: ProxyEnd) {
    guard end.isConnected else {
      if end.hasHungUp { connected(end) }
      return
    }
    guard let tls = end.tls else { return }
    if case .failed(let error) = end.flushOut() {
      return failed("lost", SystemError("TLS", error).description)
    }
    let result = end.receive { client.put($0) }
    guard tls.closeReason == nil else {
      return failed("tls", tls.closeReason.map { "\($0)" } ?? "")
    }
    switch result {
    case .bytes, .wouldBlock: break
    case .closed, .failed: return failed("tls", "it closed the connection during the TLS handshake")
    }
    if !tls.isHandshaking {
      open(end)
    } else if end.hasHungUp, result != .wouldBlock {
      proxy.loop.again(end)
    }
  }

  /// An address of the origin didn't take the connection.
  func failed(_ reason: String, _ cause: String) {
    if let origin {
      origin.owner = nil
      proxy.loop.close(origin)
    }
    origin = nil
    approach(after: reason, cause)
  }

  /// The origin didn't take it: another one may, as nothing of the client's was sent yet.
  private func exclude(_ reason: String, _ cause: String) {
    guard let name = target?.name else { return }
    proxy.metrics.failed(reason)
    proxy.handlers.failed(name)
    words = "\(name): \(cause)"
    excluded.insert(name)
    target = nil
    connect()
  }
}
