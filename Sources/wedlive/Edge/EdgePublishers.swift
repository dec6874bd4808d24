import EventLoop
import Ingest
import Relay
import TLS

/// What takes publishers on an edge of a cluster, one of two.
enum EdgePublishers: Sendable {
  /// Understands them.
  case relay(EdgeRelay)
  /// Hands their bytes on.
  case tcp(EdgeTCPProxy)

  var cluster: NodeCluster {
    switch self {
    case .relay(let relay): relay.cluster
    case .tcp(let proxy): proxy.cluster
    }
  }

  /// Makes what a loop needs, and begins to accept there.
  ///
  /// - Throws: `SystemError` where the kernel can watch no more.
  func open(
    _ listeners: NodeListeners, rtmps source: TLSContextSource, _ report: AcceptReport,
    on loop: Loop
  ) throws(SystemError) {
    let plain = listeners.rtmp?.descriptors(of: loop.index) ?? []
    let secure = listeners.rtmps?.descriptors(of: loop.index) ?? []
    switch self {
    case .relay(let relay):
      let server = relay.open(on: loop).ingest
      server.acceptFailed = { report.failed($0) }
      for socket in plain { try server.listen(Socket(owning: socket)) }
      for socket in secure {
        try server.listen(Socket(owning: socket), context: { source.current })
      }
    case .tcp(let edge):
      let proxy = edge.open(on: loop)
      proxy.acceptFailed = { report.failed($0) }
      for socket in plain { try proxy.listen(Socket(owning: socket)) }
      for socket in secure { try proxy.listen(Socket(owning: socket), context: { source.current }) }
    }
  }

  /// Takes no more publishers: they are another process's now.
  static func stopAccepting(on loop: Loop) {
    loop.local(PublishRelay.self)?.ingest.stopAccepting()
    loop.local(TCPProxy.self)?.stopAccepting()
  }

  /// Takes no more publishers, and asks those that can to connect again.
  static func drain(on loop: Loop) {
    loop.local(PublishRelay.self)?.drain()
    loop.local(TCPProxy.self)?.stopAccepting()
  }

  /// Calls back once none is left.
  static func whenEmpty(on loop: Loop, _ body: @escaping () -> Void) {
    if let relay = loop.local(PublishRelay.self) { return relay.ingest.whenEmpty(body) }
    if let proxy = loop.local(TCPProxy.self) { return proxy.whenEmpty(body) }
    body()
  }

  /// Ends every publisher, in order where it is understood, and calls back once that is done.
  static func end(_ words: String, on loop: Loop, done: @escaping () -> Void) {
    if let relay = loop.local(PublishRelay.self) { return relay.end(words, done: done) }
    loop.local(TCPProxy.self)?.end()
    done()
  }

  /// An origin is gone.
  static func originLost(_ name: String, on loop: Loop) {
    loop.local(PublishRelay.self)?.originLost(name)
    loop.local(TCPProxy.self)?.originLost(name)
  }
}
