import Access
import Cache
package import HLS
package import Media
import Synchronization
package import Viewers

/// Streams that come home: this node has them from now on, and another one had them until here.
package final class HomeStreams: Sendable {
  /// One of so many parts of the cache may be such segments of one stream that nobody has asked
  /// for.
  private static let part = 2

  private let live: EdgeLive
  /// Names this process in playlists that have segments of another's.
  private let launch = String(UInt64.random(in: .min ... .max), radix: 36)
  /// Those whose playlists have some of another's segments.
  private let carried = Mutex<[StreamKey: LiveView]>([:])

  /// Makes one without any.
  ///
  /// - Parameter live: follows them where they have been until here.
  package init(_ live: EdgeLive) { self.live = live }

  /// Follows a stream that is about to come home, as if somebody watched it, and returns once it is
  /// known what its viewers have of it.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - patience: how long that may take at most.
  package func hear(_ key: StreamKey, atMost patience: Duration) async {
    if heard(of: key) == nil { await live.listen(key, atMost: patience) }
    if let known = heard(of: key) { fetchAll(of: known) }
  }

  /// How far viewers here have a stream that another node has, or had; nil where nothing is known
  /// of it.
  package func progress(of key: StreamKey) -> WindowState? {
    guard let known = heard(of: key), let launch = known.launch else { return nil }
    let furthest = StreamFeed(known, launch: launch).renditions.max {
      $0.nextSequence < $1.nextSequence
    }
    return furthest.flatMap { MediaPlaylistText($0.playlist)?.stateAfter }
  }

  /// What viewers have of a stream that another node has; nil where nothing is known of that.
  private func heard(of key: StreamKey) -> StreamSnapshot? {
    // One that was asked for as its wedding's program is known under that name.
    let names = [key, StreamKey(wedding: key.wedding, camera: Claims.programCamera)]
    return names.lazy.compactMap { $0.flatMap { self.live.snapshot(askedAs: $0) } }.first {
      $0.key == key && !$0.renditions.isEmpty
    }
  }

  /// What viewers get of a stream that this node has itself from now on, and had from another until
  /// here: what those have listed stays listed.
  ///
  /// - Parameters:
  ///   - snapshot: of the stream.
  ///   - isFirst: whether it is the first here that has something to show.
  /// - Returns: the same, with their segments before its own for as long as they would have been
  ///   listed.
  package func continuing(_ snapshot: StreamSnapshot, isFirst: Bool) -> StreamSnapshot {
    let key = snapshot.key
    let merged = carried.withLock { carried -> StreamSnapshot? in
      let last = carried.removeValue(forKey: key)
      // What one that ended here carried is no part of the one that comes after it.
      guard let before = isFirst ? before(key) : last.map({ ($0, nil) }) else { return nil }
      var view = before.view
      let merged = view.goOn(snapshot, launch: launch, grace: live.configuration.grace) {
        [proxy = live.proxy] path in
        before.kept?.contains(path) == true || proxy.has(LiveName.of(path))
      }
      if merged != nil { carried[key] = view }
      return merged
    }
    if isFirst, let merged { fetchAll(of: merged) }
    return merged ?? snapshot
  }

  /// A stream is no longer here.
  package func forget(_ key: StreamKey) { carried.withLock { _ = $0.removeValue(forKey: key) } }

  /// What others have had of a stream that this node goes on with, and which segments the other one
  /// still gives out; nil where nobody has listed any of it.
  private func before(_ key: StreamKey) -> (view: LiveView, kept: KeptSegments?)? {
    guard let known = heard(of: key), let launch = known.launch else { return nil }
    let kept = KeptSegments(
      StreamFeed(known, launch: launch), length: live.own?.kept() ?? .zero)
    return (LiveView(of: known, launch: launch), kept)
  }

  // MARK: What others have made

  /// Has all that is listed of a stream here that is elsewhere, the newest first: who has it may
  /// end at any time, and viewers are to have what they were told of.
  func fetchAll(of snapshot: StreamSnapshot) {
    let paths = snapshot.renditions.map { rendition in
      let folder =
        "/hls/\(snapshot.key.wedding)/\(snapshot.key.camera)/"
        + String(decoding: rendition.name, as: UTF8.self) + "/"
      return rendition.segments.reversed().compactMap { segment -> String? in
        guard case .elsewhere = segment.source else { return nil }
        return folder + String(decoding: segment.name, as: UTF8.self)
      }
    }
    guard paths.contains(where: { !$0.isEmpty }) else { return }
    Task {
      let pool = await live.find(snapshot.key)
      let limit = live.proxy.configuration.memoryBytes / Self.part
      var bytes = 0
      for path in paths.joined() where bytes < limit {
        guard !live.proxy.has(LiveName.of(path)) else { continue }
        bytes += await fetch(path, from: pool)
      }
    }
  }

  /// Has one segment here.
  ///
  /// - Returns: how many bytes have come, once no more do.
  private func fetch(_ path: String, from pool: UpstreamPool) async -> Int {
    await withCheckedContinuation { continuation in
      live.proxy.ask(
        live.request("/cluster\(path)"), name: LiveName.of(path), isShared: true, from: pool,
        patience: live.configuration.segmentStall, isOwn: true
      ) { answer in
        guard let body = answer.coming?.body else { return continuation.resume(returning: 0) }
        body.whenEnded { continuation.resume(returning: body.progress.bytes) }
      }
    }
  }
}
