package import Media
import Synchronization

/// The last known status of each stream of the node: written by their loops every few seconds, read
/// by whoever asks.
package final class StreamBoard: Sendable {
  private let streams = Mutex<[StreamKey: StreamStatus]>([:])
  private let elders = Mutex<ElderTally?>(nil)
  /// Those who wait until no stream has a publisher.
  private let waiting = Mutex<[AsyncStream<Void>.Continuation]>([])

  package init() {}

  func set(_ status: StreamStatus) {
    guard let key = StreamKey(wedding: status.wedding, camera: status.camera) else { return }
    streams.withLock { $0[key] = status }
    if status.state != .live { tellIfNoneIsLive() }
  }

  func end(_ key: StreamKey) {
    streams.withLock { $0[key]?.state = .ended }
    tellIfNoneIsLive()
  }

  private func tellIfNoneIsLive() {
    guard liveCount == 0 else { return }
    for each in waiting.withLock({ $0 }) { each.yield() }
  }

  /// Waits until no stream has a publisher, for as long as the task isn't cancelled.
  ///
  /// - Parameter isAwaited: whether one that waits for its publisher to come back counts as well.
  package func noneIsLive(or isAwaited: (StreamStatus) -> Bool = { _ in false }) async {
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    waiting.withLock { $0.append(end) }
    if isEmpty(but: isAwaited) { return }
    for await _ in ends where isEmpty(but: isAwaited) { return }
  }

  private func isEmpty(but isAwaited: (StreamStatus) -> Bool) -> Bool {
    streams.withLock { Array($0.values) }.allSatisfy {
      $0.state != .live && !($0.state == .waiting && isAwaited($0))
    }
  }

  /// Forgets a stream, unless it has gone on since it ended.
  func remove(_ key: StreamKey) {
    streams.withLock { if $0[key]?.state == .ended { $0[key] = nil } }
  }

  /// Every stream, oldest first.
  package var all: [StreamStatus] {
    streams.withLock { Array($0.values) }.sorted { $0.timeMilliseconds > $1.timeMilliseconds }
  }

  /// One stream; nil where nobody has published it.
  package subscript(key: StreamKey) -> StreamStatus? { streams.withLock { $0[key] } }

  /// How many other streams of a stream's wedding have a publisher.
  func liveCount(besides key: StreamKey) -> Int {
    streams.withLock { streams in
      streams.count {
        $0.key.wedding == key.wedding && $0.key.camera != key.camera && $0.value.state == .live
      }
    }
  }

  /// How many streams have a publisher.
  package var liveCount: Int { streams.withLock { $0.values.count { $0.state == .live } } }

  /// The same with those whose publisher is with a process before this one.
  package var nodeLiveCount: Int {
    liveCount + (elders.withLock { $0 }?.sum.streams ?? 0)
  }

  /// Names who counts the streams of the processes before this one.
  package func count(with tally: ElderTally) { elders.withLock { $0 = tally } }
}
