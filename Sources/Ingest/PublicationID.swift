package import EventLoop

/// Names one publication of one connection, so that what is decided about it elsewhere can't hit
/// another one: neither a later one of the same connection, nor a connection that has its slot.
package struct PublicationID: Hashable, Sendable {
  package let channel: ChannelID
  /// Counts what the connection has asked to publish.
  let number: UInt64

  /// The connection, as long as this is what it publishes or asks to publish.
  package func connection(on loop: Loop) -> RTMPConnection? {
    guard let connection = loop.channel(channel) as? RTMPConnection,
      connection.publicationID == self
    else { return nil }
    return connection
  }
}
