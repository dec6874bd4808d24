package import EventLoop

/// Who decides where connections go; called on the proxy's loop, and answering at once.
package struct TCPProxyHandlers {
  /// The origin for one more connection, without those of these names; nil: none takes it.
  package let place: (_ client: SocketAddress, _ excluded: Set<String>) -> RelayTarget?
  /// Told of an origin that took no connection.
  package let failed: (_ origin: String) -> Void
  /// Told of each connection when it is over.
  package let ended: (TCPProxyReport) -> Void

  package init(
    place: @escaping (_ client: SocketAddress, _ excluded: Set<String>) -> RelayTarget?,
    failed: @escaping (_ origin: String) -> Void = { _ in },
    ended: @escaping (TCPProxyReport) -> Void = { _ in }
  ) {
    self.place = place
    self.failed = failed
    self.ended = ended
  }
}
