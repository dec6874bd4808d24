package import EventLoop
package import Ingest
package import Media
import RTMP
package import TLS
import Telemetry

/// The relay of one loop: takes publishers as an origin does, and publishes their streams to
/// origins.
///
/// A publisher keeps its connection while its origin is lost, drained or slow: what it has sent
/// since the last announced segment is kept, and replayed to the next origin. Confined to its loop,
/// where it can be found as `loop.local(PublishRelay.self)`.
package final class PublishRelay {
  /// The side that publishers connect to: give it listeners with `listen`.
  package let ingest: IngestServer
  package let configuration: RelayConfiguration
  let loop: Loop
  let buffers: TLSBuffers
  let metrics: RelayMetrics
  let handlers: RelayHandlers
  private var streams: [UInt64: RelayedStream] = [:]
  /// Those whose publisher is there, by its connection.
  private var published: [ChannelID: UInt64] = [:]
  private var lastID: UInt64 = 0
  private var isTicking = false
  private var emptied: [() -> Void] = []

  /// Several in the time that an origin may be silent.
  private var tick: Duration {
    max(.milliseconds(20), min(.milliseconds(250), configuration.originSilence / 6))
  }

  /// Makes a relay without a listener and registers it with its loop.
  ///
  /// - Parameters:
  ///   - loop: where it lives.
  ///   - configuration: the bounds.
  ///   - handlers: who decides.
  ///   - metrics: shared by all loops.
  ///   - ingestMetrics: of the publishers' side, shared by all loops.
  ///   - buffers: the loop's, shared with its other TLS servers.
  package init(
    on loop: Loop, configuration: RelayConfiguration, handlers: RelayHandlers,
    metrics: RelayMetrics, ingestMetrics: IngestMetrics, buffers: TLSBuffers
  ) {
    self.loop = loop
    self.configuration = configuration
    self.handlers = handlers
    self.metrics = metrics
    self.buffers = buffers
    let owner = WeakOwner()
    ingest = IngestServer(
      loop: loop, configuration: configuration.ingest,
      relay: RelayTable(
        loop: loop, directory: RelayDirectory(), configuration: configuration.ingest),
      handlers: IngestHandlers(
        publish: { owner.value?.asked($0, $1) },
        play: { connection, request in
          connection.refusePlay(
            request.streamID, .failed, "an edge plays nothing over RTMP; its players use HLS")
        }, closed: { connection, reason in owner.value?.closed(connection, reason) }),
      metrics: ingestMetrics, buffers: buffers)
    owner.value = self
    loop.setLocal(self)
  }

  private final class WeakOwner {
    weak var value: PublishRelay?
  }

  // MARK: Publishers

  private func asked(_ connection: RTMPConnection, _ request: PublishRequest) {
    let publication = connection.publicationID
    let mailbox = loop.mailbox
    handlers.admit(connection, request) { admission in
      mailbox.submit {
        $0.local(PublishRelay.self)?.decided(admission, publication, request)
      }
    }
  }

  /// Takes what was decided about a client, which may be gone by now.
  private func decided(
    _ admission: RelayAdmission, _ publication: PublicationID, _ request: PublishRequest
  ) {
    guard let connection = publication.connection(on: loop), !connection.isEnding,
      !connection.isPublishing, let connect = connection.connectRequest
    else { return }
    switch admission {
    case .refused(let refusal, let words): connection.refusePublish(refusal, words)
    case .admitted(let key):
      lastID += 1
      let stream = RelayedStream(
        id: lastID, key: key, publication: publication, name: request.name, connect: connect,
        peer: connection.peer, relay: self)
      streams[lastID] = stream
      published[connection.id] = lastID
      metrics.streams.increment()
      stream.begin()
      beginToTick()
    }
  }

  private func closed(_ connection: RTMPConnection, _ reason: String) {
    guard let id = published.removeValue(forKey: connection.id) else { return }
    streams[id]?.publisherLeft(.other(reason))
  }

  func stream(_ id: UInt64) -> RelayedStream? { streams[id] }

  /// A stream is over, and none of its connections is left.
  func removed(_ stream: RelayedStream) {
    guard streams.removeValue(forKey: stream.id) != nil else { return }
    if published[stream.publication.channel] == stream.id {
      published[stream.publication.channel] = nil
    }
    metrics.streams.decrement()
    guard streams.isEmpty else { return }
    let waiting = emptied
    emptied = []
    for body in waiting { body() }
  }

  /// What may be kept of each stream, in bytes.
  ///
  /// Even the smallest holds what the connections need, so that a stream goes on.
  private var share: Int {
    let kept = streams.values.reduce(0) { $0 + $1.buffer.keptBytes }
    guard kept > configuration.totalReplayBytes else { return configuration.replayBytes }
    return min(
      configuration.replayBytes,
      max(configuration.connectionQueueBytes, configuration.totalReplayBytes / streams.count))
  }

  private func beginToTick() {
    guard !isTicking else { return }
    isTicking = true
    loop.schedule(after: tick) { [weak self] in
      guard let self else { return }
      isTicking = false
      let share = share
      for stream in Array(streams.values) {
        stream.buffer.limitBytes = share
        stream.check(.now)
      }
      if !streams.isEmpty { beginToTick() }
    }
  }

  // MARK: For the node

  /// Moves streams to other origins, which go on from what viewers have.
  ///
  /// - Parameters:
  ///   - keys: those to move; nil for all.
  ///   - origin: only those that are there; nil for any.
  /// - Returns: how many streams of this loop are about to move.
  @discardableResult
  package func handOver(_ keys: Set<StreamKey>? = nil, from origin: String? = nil) -> Int {
    var count = 0
    for stream in streams.values
    where (keys?.contains(stream.key) ?? true) && (origin == nil || stream.origin == origin) {
      if stream.handOver() { count += 1 }
    }
    return count
  }

  /// An origin is known to be gone: its streams look for another one at once.
  package func originLost(_ name: String) {
    for stream in Array(streams.values) { stream.originLost(name) }
  }

  /// What there is to say of each stream.
  package var statuses: [RelayStatus] { streams.values.map(\.status) }

  /// Takes no more publishers, and asks those that can to connect again, to another edge.
  package func drain() {
    ingest.stopAccepting()
    ingest.forEachConnection { $0.requestReconnect(to: nil, "this server is being stopped") }
  }

  /// Ends every publisher in order, and its stream at its origin.
  ///
  /// - Parameters:
  ///   - reason: for the metric and the publisher.
  ///   - done: called when all connections are closed, within seconds.
  package func end(_ reason: String, done: @escaping () -> Void) {
    ingest.stopAccepting()
    ingest.forEachConnection { $0.stop(reason) }
    // What has ended already is with its origin.
    for stream in Array(streams.values) where stream.leg?.isReleased == true {
      stream.end(.ended, RelayNotice.endedByPublisher)
    }
    ingest.whenEmpty { [self] in
      if streams.isEmpty { done() } else { emptied.append(done) }
    }
  }
}
