import EventLoop
import HTTPServer
import TLS

extension NodeFrame {
  /// Who answers requests, by the port that they come to.
  struct Handlers {
    let https: RequestHandler
    /// Without TLS.
    let http: RequestHandler
    /// Where nodes show certificates.
    let peers: RequestHandler
    let admin: RequestHandler
  }

  /// Begins to accept what speaks HTTP on one loop.
  ///
  /// - Parameters:
  ///   - listeners: of the node.
  ///   - server: the loop's.
  ///   - handlers: who answers.
  /// - Throws: `SystemError` where the kernel can watch no more.
  func listen(
    _ listeners: NodeListeners, on server: LoopServer, _ handlers: Handlers
  ) throws(SystemError) {
    let loop = server.loop
    let sites = LoopSites()
    for socket in listeners.https?.descriptors(of: loop.index) ?? [] {
      sites.https.append(
        try server.listen(Socket(owning: socket), tls: https.current, handler: handlers.https))
    }
    if let peers {
      for socket in listeners.peers?.descriptors(of: loop.index) ?? [] {
        sites.peers.append(
          try server.listen(
            Socket(owning: socket), tls: peers.https.current, acceptsProxyHeader: false,
            isForPeers: true, handler: handlers.peers))
      }
    }
    for socket in listeners.http?.descriptors(of: loop.index) ?? [] {
      try server.listen(Socket(owning: socket), tls: nil, handler: handlers.http)
    }
    for socket in listeners.admin?.descriptors(of: loop.index) ?? [] {
      try server.listen(
        Socket(owning: socket), tls: nil, acceptsProxyHeader: false, isForOperator: true,
        handler: handlers.admin)
    }
    loop.setLocal(sites)
  }
}
