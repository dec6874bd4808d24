import Access
import Cache
package import HLS
package import Media
import Synchronization
package import Viewers

/// Streams that come home: this node has them from now on, and another one had them until here.
extension EdgeLive {
  /// One of so many parts of the cache may be such segments of one stream that nobody has asked for.
  private static let part = 2

  /// Follows a stream that is about to come home, as if somebody watched it, and returns once it is known
  /// what its viewers have of it.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - patience: how long that may take at most.
  package func hear(_ key: StreamKey, atMost patience: Duration) async {
    await listen(key, atMost: patience)
    let known = state.withLock { Self.heard(of: key, $0) }
    if let known { fetchAll(of: known) }
  }

  private func listen(_ key: StreamKey, atMost patience: Duration) async {
    guard state.withLock({ Self.heard(of: key, $0) == nil }) else { return }
    let (answer, continuation) = AsyncStream.makeStream(of: Never.self)
    state.withLock { $0.hearing[key, default: []].append(continuation) }
    guard case .begun(let snapshot) = follow(key), snapshot.version == 0 else {
      return heard(key)
    }
    let limit = Task {
      try? await Task.sleep(for: patience)
      continuation.finish()
    }
    for await _ in answer {}
    limit.cancel()
  }

  /// How far viewers here have a stream that another node has, or had; nil where nothing is known of it.
  package func progress(of key: StreamKey) -> WindowState? {
    guard let known = state.withLock({ Self.heard(of: key, $0) }), let launch = known.launch else {
      return nil
    }
    let furthest = StreamFeed(known, launch: launch).renditions.max {
      $0.nextSequence < $1.nextSequence
    }
    return furthest.flatMap { MediaPlaylistText($0.playlist)?.stateAfter }
  }

  /// Something is known of a stream, or nobody has it.
  func heard(_ key: StreamKey) {
    for each in state.withLock({ $0.hearing.removeValue(forKey: key) }) ?? [] { each.finish() }
  }

  /// What viewers have of a stream that another node has; nil where nothing is known of that.
  private static func heard(of key: StreamKey, _ state: State) -> StreamSnapshot? {
    // One that was asked for as its wedding's program is known under that name.
    let names = [key, StreamKey(wedding: key.wedding, camera: Claims.programCamera)]
    return names.lazy.compactMap { $0.flatMap { state.followers[$0]?.snapshot } }.first {
      $0.key == key && !$0.renditions.isEmpty
    }
  }

  /// What viewers get of a stream that this node has itself from now on, and had from another until here:
  /// what those have listed stays listed.
  ///
  /// - Parameters:
  ///   - snapshot: of the stream.
  ///   - isFirst: whether it is the first here that has something to show.
  /// - Returns: the same, with their segments before its own for as long as they would have been listed.
  package func continuing(_ snapshot: StreamSnapshot, isFirst: Bool) -> StreamSnapshot {
    let key = snapshot.key
    return state.withLock { state in
      guard let before = before(key, isFirst: isFirst, &state) else { return snapshot }
      var view = before.view
      let merged = view.goOn(snapshot, launch: launch, grace: configuration.grace) { [proxy] path in
        before.kept?.contains(path) == true || proxy.has(LiveName.of(path))
      }
      if let merged {
        state.carried[key] = view
        if isFirst { fetchAll(of: merged) }
      }
      return merged ?? snapshot
    }
  }

  /// What others have had of a stream that this node goes on with, and which segments the other one still
  /// gives out; nil where nobody has listed any of it.
  private func before(
    _ key: StreamKey, isFirst: Bool, _ state: inout State
  ) -> (view: LiveView, kept: KeptSegments?)? {
    if let view = state.carried.removeValue(forKey: key) { return (view, nil) }
    guard isFirst, let known = Self.heard(of: key, state), let launch = known.launch else {
      return nil
    }
    let kept = KeptSegments(StreamFeed(known, launch: launch), length: own?.kept() ?? .zero)
    return (LiveView(of: known, launch: launch), kept)
  }

  // MARK: What others have made

  /// Has all that is listed of a stream here that is elsewhere, the newest first: who has it may end at any
  /// time, and viewers are to have what they were told of.
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
      let pool = await find(snapshot.key)
      var bytes = 0
      for path in paths.joined() where bytes < proxy.configuration.memoryBytes / Self.part {
        guard !proxy.has(LiveName.of(path)) else { continue }
        bytes += await fetch(path, from: pool)
      }
    }
  }

  /// Has one segment here.
  ///
  /// - Returns: how many bytes have come, once no more do.
  private func fetch(_ path: String, from pool: UpstreamPool) async -> Int {
    await withCheckedContinuation { continuation in
      proxy.ask(
        request("/cluster\(path)"), name: LiveName.of(path), isShared: true, from: pool,
        patience: configuration.segmentStall, isOwn: true
      ) { answer in
        guard let body = answer.coming?.body else { return continuation.resume(returning: 0) }
        body.whenEnded { continuation.resume(returning: body.progress.bytes) }
      }
    }
  }
}
