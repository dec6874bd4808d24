import HLS
import Media

extension StreamSnapshot {
  /// The same with segments in its playlists that another process has listed before its own.
  ///
  /// - Parameters:
  ///   - feed: what its viewers are to have.
  ///   - other: what they had from that process.
  ///   - launch: names this process among those that have ever made playlists of it.
  /// - Returns: nil where that is no more than what there is here.
  package func carrying(
    _ feed: StreamFeed, after other: StreamSnapshot, launch: String
  ) -> StreamSnapshot? {
    var isSame = true
    let merged = feed.renditions.compactMap { told -> RenditionSnapshot? in
      let name = Array(told.name.utf8)
      let made = renditions.first { $0.name == name }
      if made == nil { isSame = false }
      guard let own = made ?? other.renditions.first(where: { $0.name == name }) else { return nil }
      let isListedAlike = Array(told.playlist.utf8) == own.playlist.text.plain
      let areSame = told.segments.elementsEqual(own.segments) { $0.utf8.elementsEqual($1.name) }
      guard !isListedAlike || !areSame else { return own }
      isSame = false
      return own.carrying(
        told, isListedAlike ? nil : "c\(version)-\(launch)", wedding: key.wedding)
    }
    guard !isSame else { return nil }
    let there = Set(merged.map(\.name))
    // What has ended before anything was made of it here is what the other one had.
    let listing = renditions.isEmpty ? other : self
    return StreamSnapshot(
      key: key, version: version, isOver: isOver, isProgram: isProgram, masters: listing.masters,
      programMasters: listing.programMasters, renditions: merged,
      coming: coming.filter { !there.contains($0.name) }, lacking: lacking, interest: interest)
  }
}

extension RenditionSnapshot {
  /// The same with segments of another process.
  ///
  /// - Parameters:
  ///   - told: what there is.
  ///   - tag: of the playlist that lists some of them; nil where it is this process's own.
  ///   - wedding: whose stream it is.
  /// - Returns: the same, with all that is told.
  fileprivate func carrying(
    _ told: StreamFeed.Rendition, _ tag: String?, wedding: String
  ) -> RenditionSnapshot {
    let own = Dictionary(segments.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    return RenditionSnapshot(
      name: name, viewers: viewers, interest: interest,
      playlist: tag.map {
        PlaylistResponse(
          PlaylistText(received: Array(told.playlist.utf8)), maximumAge: 1,
          staleSeconds: max(1, told.targetDuration / 2), wedding: wedding, tag: $0)
      } ?? playlist,
      nextSequence: told.nextSequence, targetDuration: told.targetDuration, window: window,
      bitrate: bitrate,
      segments: told.segments.compactMap { segment in
        let name = Array(segment.utf8)
        if let known = own[name] { return known }
        return RenditionSnapshot.sequence(name.span).map {
          SegmentResponse(sequence: $0, name: name, byteCount: 0, source: .elsewhere)
        }
      })
  }
}
