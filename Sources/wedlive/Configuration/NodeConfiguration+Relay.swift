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
    bounds.sendsProxyHeader = relay.proxyHeader
    return bounds
  }
}
