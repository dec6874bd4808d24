import Ingest
import Relay

extension NodeConfiguration {
  /// For `Relay`.
  var relayBounds: RelayConfiguration {
    var bounds = RelayConfiguration()
    let coalesce = bounds.ingest.coalesce
    bounds.ingest = ingest
    bounds.ingest.coalesce = coalesce
    bounds.queueBytes = relay.queue
    bounds.replayBytes = relay.replay
    bounds.replaySpan = relay.replaySpan
    bounds.originSilence = relay.originSilence
    bounds.admitWithin = relay.admitWithin
    bounds.giveUpAfter = relay.giveUpAfter
    bounds.leaveWithin = relay.leaveWithin
    bounds.afterEnd = relay.afterEnd
    bounds.sendsProxyHeader = relay.proxyHeader
    return bounds
  }

  /// For `Relay`, where it understands nothing.
  var tcpProxyBounds: TCPProxyConfiguration {
    var bounds = TCPProxyConfiguration()
    bounds.maximumConnections = rtmp.maxConnections
    bounds.maximumHandshakes = tls.handshakes
    bounds.handshakeTimeout = tls.handshakeTimeout
    bounds.connectTimeout = relay.connectTimeout
    bounds.admitWithin = relay.admitWithin
    bounds.idleTimeout = relay.idleTimeout
    bounds.pipeBytes = relay.pipe
    bounds.sendsProxyHeader = relay.proxyHeader
    bounds.trustedProxies = ingest.trustedProxies
    return bounds
  }
}
