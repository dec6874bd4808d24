import EventLoop
import Ingest
import Media
import Operator

// What an operator is shown of a loop's clients, and does to them.
extension OriginLoop {
  /// Those who publish or play on this loop.
  func clients() -> [(key: StreamKey, client: ClientStatus)] {
    asks.compactMap { id, ask in
      guard let connection = loop.channel(id) as? RTMPConnection else { return nil }
      let client = ClientStatus(
        id: ask.clientID, address: ask.address,
        timeMilliseconds: (loop.now - connection.acceptedAt).nanoseconds / 1_000_000,
        isPublishing: ask.kind == .publish, isSecure: ask.isSecure,
        flashVersion: ask.flashVersion, pageURL: ask.pageUrl, swfURL: ask.swfUrl,
        dropped: connection.dropCount,
        avSyncMilliseconds: Int64(connection.clock.avSync),
        timestampMilliseconds: Int64(connection.clock.timestamp))
      return (ask.key, client)
    }
  }

  /// Closes the connections that an operator has chosen, and says how many.
  func drop(
    _ selection: StreamControl.Selection, because words: String = "dropped by the operator"
  ) -> Int {
    var count = 0
    for (id, ask) in asks
    where selection.covers(ask, isPublishing: ask.kind == .publish) {
      guard let connection = loop.channel(id) as? RTMPConnection else { continue }
      connection.stop(.dropped(words))
      count += 1
    }
    return count
  }
}
