package import EventLoop
import Ingest

/// One connection that publishes, as the control plane knows it.
package struct Publisher: Sendable {
  /// Unique in this process.
  package let id: UInt64
  /// The same for two connections that show the same token.
  package let tokenID: [UInt8]
  /// The higher one wins a stream that both may publish.
  package let priority: Int
  package let address: String
  package let loop: LoopMailbox
  package let channel: ChannelID

  package init(
    id: UInt64, tokenID: [UInt8], priority: Int, address: String, loop: LoopMailbox,
    channel: ChannelID
  ) {
    self.id = id
    self.tokenID = tokenID
    self.priority = priority
    self.address = address
    self.loop = loop
    self.channel = channel
  }

  /// Whether no picture or sound has come for a while; a connection that is gone is silent.
  func isSilent(for duration: Duration) async -> Bool {
    let channel = channel
    let answer = try? await loop.run { loop -> Bool in
      guard let connection = loop.channel(channel) as? RTMPConnection else { return true }
      return loop.now - connection.lastMedia > duration
    }
    return answer ?? true
  }

  /// Closes the connection; when this returns, its loop has let go of the stream.
  func evict() async {
    let channel = channel
    _ = try? await loop.run { loop in
      (loop.channel(channel) as? RTMPConnection)?.evict("another encoder has taken over")
    }
  }
}
