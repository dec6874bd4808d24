package import EventLoop
package import Ingest
package import Media

/// One connection that publishes, as the control plane knows it.
package struct Publisher: Sendable {
  /// Unique in this process.
  package let id: UInt64
  /// The same for two connections that show the same token.
  package let tokenID: [UInt8]
  /// The higher one wins a stream that both may publish.
  package let priority: Int
  package let address: String
  /// How long no picture or sound has come; nil where the connection is gone.
  let silence: @Sendable () async -> Duration?
  /// Closes the connection; when this returns, its loop has let go of the stream for good.
  let evict: @Sendable () async -> Void
  /// Closes it in order, as another node has the stream now: an edge goes on there.
  let send: @Sendable () async -> Void

  init(
    id: UInt64, tokenID: [UInt8], priority: Int, address: String,
    silence: @escaping @Sendable () async -> Duration?,
    evict: @escaping @Sendable () async -> Void,
    send: @escaping @Sendable () async -> Void = {}
  ) {
    self.id = id
    self.tokenID = tokenID
    self.priority = priority
    self.address = address
    self.silence = silence
    self.evict = evict
    self.send = send
  }

  /// A publisher behind a connection of a loop.
  package init(
    id: UInt64, tokenID: [UInt8], priority: Int, address: String, loop: LoopMailbox,
    publication: PublicationID, stream: StreamKey
  ) {
    self.init(
      id: id, tokenID: tokenID, priority: priority, address: address,
      silence: {
        try? await loop.run { loop in
          publication.connection(on: loop).map { loop.now - $0.lastMedia }
        }
      },
      evict: {
        _ = try? await loop.run { loop in
          publication.connection(on: loop)?.evict("another encoder has taken over")
        }
        await loop.wait { loop, done in
          guard let origin = loop.local(OriginLoop.self) else { return done() }
          origin.leaving.whenGone(stream, done)
        }
      },
      send: {
        _ = try? await loop.run { loop in
          publication.connection(on: loop)?.stop(.elsewhere)
          loop.local(OriginLoop.self)?.leaving.hurry(stream, .elsewhere)
        }
      })
  }

  /// Whether nothing has come for a while, or nothing can come any more.
  func isSilent(for duration: Duration) async -> Bool {
    guard let silence = await silence() else { return true }
    return silence > duration
  }
}
