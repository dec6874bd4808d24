package import RTMP
import Telemetry

// What a publisher is told of its stream, up to its end.
extension RTMPConnection {
  /// Ends a publisher whose media can't be used.
  ///
  /// - Parameters:
  ///   - words: why, for the publisher and for the sink's end; never a token.
  ///   - cause: for a publisher that is a relay; nil: another node may do better.
  package func reject(_ words: String, for cause: PublishEndCause? = nil) {
    guard case .live(let streamID, _) = publication else { return }
    answer { session.rejectPublish(streamID, .failed, words, for: cause, into: &$0) }
    server.metrics.publishRefused.increment()
    endPublication(.other("media refused: \(words)"))
    finish("media refused")
  }

  /// Takes the stream away from the publisher and closes the connection.
  ///
  /// The sink hears of it before this returns; a publisher that waits for its answer gets this one,
  /// and no sink later.
  package func evict(_ words: String) { revoke(.badName, words, for: "taken over") }

  /// Takes the stream away from the publisher, as `evict` does, for whatever reason.
  ///
  /// - Parameters:
  ///   - refusal: the status that the publisher gets.
  ///   - words: why, for a person; never a token.
  ///   - reason: one of a fixed few, for the metric and the sink.
  package func revoke(
    _ refusal: ServerSession.PublishRefusal, _ words: String, for reason: String
  ) {
    // What has come and waits to be taken together still belongs to the stream; it may hold the
    // stream's end, and the beginning of another.
    let evicted = publicationID
    if isCoalescing { readable() }
    guard publicationID == evicted else { return }
    switch publication {
    case .none: return
    case .requested(let streamID, _, _), .live(let streamID, _):
      answer { session.rejectPublish(streamID, refusal, words, into: &$0) }
    }
    endPublication(.other(reason))
    finish(reason)
  }

  /// Ends the connection in order, and tells a publisher why.
  ///
  /// The stream is given back before this returns; the client has two seconds for what is on its
  /// way.
  ///
  /// - Parameter reason: one of a fixed few, for the metric and for the publisher.
  package func stop(_ reason: String) { stop(.other(reason)) }

  /// Ends the connection in order, as `stop` does, for a reason that the sink is to know.
  package func stop(_ end: PublicationEnd) {
    let reason = end.words
    if isCoalescing { readable() }
    guard !isEnding else { return }
    switch publication {
    case .none: break
    case .requested(let streamID, _, _), .live(let streamID, _):
      answer { session.rejectPublish(streamID, .failed, reason, for: end.cause, into: &$0) }
    }
    endPublication(end)
    endPlayer()
    finish(reason, patience: .seconds(2))
  }

  /// Asks a client that can to connect again elsewhere; it goes on until it leaves.
  package func requestReconnect(to tcUrl: String?, _ words: String) {
    answer { _ = session.requestReconnect(to: tcUrl, words, into: &$0) }
  }

  /// Tells a relay how far viewers have the stream that it publishes, or has just ended.
  ///
  /// - Parameters:
  ///   - progress: how far.
  ///   - grant: under which this node has it; nil without a cluster.
  package func tell(_ progress: RelayProgress, under grant: StreamGrant? = nil) {
    let published: UInt32? =
      if case .live(let streamID, _) = publication { streamID } else { session.endedPublication }
    guard let published, !isEnding else { return }
    answer { session.notifyProgress(progress, under: grant, of: published, into: &$0) }
  }
}
