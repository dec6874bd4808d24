package import EventLoop
package import Media
import Synchronization
package import Telemetry

/// What a node sends of each of its streams: how much, of which rendition, to whom.
///
/// Shared by all loops. A loop takes its counts where a stream gets its place there, and adds to
/// them as bytes are sent; nobody looks a stream up per request. A stream's counts go on where it
/// comes back within the hour; after that, or for others where there are too many, they begin anew.
package final class StreamTraffic: Sendable {
  /// How long the counts of a stream are kept that no loop has any more.
  private static let memory = Duration.seconds(3_600)

  private struct Entry {
    let stream: CountedStream
    /// How many loops have it.
    var users = 1
    /// When the last of them let go.
    var leftAt = MonotonicTime(nanoseconds: 0)

    func isKept(at now: MonotonicTime) -> Bool { users > 0 || now - leftAt < StreamTraffic.memory }
  }

  private struct State {
    var streams: [StreamKey: Entry] = [:]
    var places = 0
    /// How many shares of the rest there are.
    var uncounted = 0
  }

  /// How many streams are counted one by one.
  private let limit: Int
  private let clock: @Sendable () -> MonotonicTime
  private let state = Mutex(State())
  /// Of all streams that there is no room for.
  private let rest: CountedStream

  /// Makes counts of nothing.
  ///
  /// - Parameters:
  ///   - limit: how many streams are counted one by one; what is sent of more is counted together.
  ///   - registry: where `wedlive_stream_…` are read.
  ///   - clock: tells the time.
  package init(
    limit: Int, metrics registry: MetricRegistry,
    clock: @escaping @Sendable () -> MonotonicTime = { .now }
  ) {
    self.limit = limit
    self.clock = clock
    rest = CountedStream(at: clock())
    registry.collect(
      "wedlive_stream_sent_bytes_total",
      help:
        "Bytes of bodies sent of each stream; without a wedding: of those beyond streams.counted.",
      kind: .counter
    ) { [weak self] in self?.samples ?? [] }
    registry.gauge(
      "wedlive_streams_uncounted",
      help:
        "Streams, once for each loop, whose bytes are counted together: streams.counted is too few."
    ) { [weak self] in Double(self?.state.withLock { $0.uncounted } ?? 0) }
  }

  /// A number for somebody who counts on one loop.
  package func place() -> Int {
    state.withLock { state in
      state.places += 1
      return state.places
    }
  }

  /// What one loop needs to count a stream; kept for as long as it has the stream.
  package func share(of key: StreamKey, at place: Int) -> Share {
    let now = clock()
    let stream = state.withLock { state -> CountedStream? in
      if var entry = state.streams[key], entry.isKept(at: now) {
        entry.users += 1
        state.streams[key] = entry
        return entry.stream
      }
      state.streams[key] = nil
      guard Self.makeRoom(&state, limit, now) else {
        state.uncounted += 1
        return nil
      }
      let entry = Entry(stream: CountedStream(at: now))
      state.streams[key] = entry
      return entry.stream
    }
    return Share(stream ?? rest, stream == nil ? nil : key, place: place, of: self)
  }

  /// Whether there is room for another one; the one that has been away for longest goes for it.
  private static func makeRoom(_ state: inout State, _ limit: Int, _ now: MonotonicTime) -> Bool {
    guard state.streams.count >= limit else { return true }
    let away = state.streams.filter { $0.value.users == 0 }
    guard let oldest = away.min(by: { $0.value.leftAt < $1.value.leftAt }) else { return false }
    state.streams[oldest.key] = nil
    return true
  }

  fileprivate func leave(_ key: StreamKey?) {
    let now = clock()
    state.withLock { state in
      guard let key else { return state.uncounted -= 1 }
      guard var entry = state.streams[key] else { return }
      entry.users -= 1
      entry.leftAt = now
      state.streams[key] = entry
    }
  }

  fileprivate var now: MonotonicTime { clock() }

  // MARK: Reading

  /// What was sent of a stream; empty where that is nothing, or isn't counted by itself.
  package func sent(of key: StreamKey) -> [SentBytes] {
    state.withLock { $0.streams[key]?.stream }?.sent(at: clock()) ?? []
  }

  /// The streams that some loop has now.
  package var streams: [StreamKey] {
    state.withLock { state in state.streams.filter { $0.value.users > 0 }.map(\.key) }
  }

  private var samples: [MetricRegistry.Sample] {
    let now = clock()
    let streams = state.withLock { state in
      state.streams = state.streams.filter { $0.value.isKept(at: now) }
      return state.streams.map { ($0.key, $0.value.stream) }
    }
    return streams.flatMap { key, stream in
      stream.sent(at: now).map { sample($0, wedding: key.wedding, camera: key.camera) }
    } + rest.sent(at: now).map { sample($0, wedding: "", camera: "") }
  }

  private func sample(
    _ sent: SentBytes, wedding: String, camera: String
  ) -> MetricRegistry.Sample {
    MetricRegistry.Sample(
      [
        "wedding": wedding, "camera": camera, "rendition": sent.line.rendition,
        "to": sent.line.receiver.rawValue,
      ], Double(sent.bytes))
  }
}

extension StreamTraffic {
  /// One loop's part in the counts of a stream, for as long as it is kept.
  package final class Share {
    private let stream: CountedStream
    /// Nil where it is counted together with others.
    private let key: StreamKey?
    private let place: Int
    private let traffic: StreamTraffic

    fileprivate init(
      _ stream: CountedStream, _ key: StreamKey?, place: Int, of traffic: StreamTraffic
    ) {
      self.stream = stream
      self.key = key
      self.place = place
      self.traffic = traffic
    }

    deinit { traffic.leave(key) }

    /// The count of a line; of those that are counted together it tells who is sent, not what.
    package func tally(_ line: SentBytes.Line) -> Tally {
      stream.tally(key == nil ? SentBytes.Line(line.receiver) : line, at: place)
    }

    /// Takes the rates anew where that is due.
    func sample() { stream.sample(at: traffic.now) }
  }
}
