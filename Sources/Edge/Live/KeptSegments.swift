import EventLoop
import Viewers

/// Segments of a stream that came home which the process that made them gives out still, whether
/// this one has fetched them or not: the newest that it has listed, as far back as it keeps them.
struct KeptSegments {
  /// Their paths.
  private var paths: Set<String> = []

  /// - Parameters:
  ///   - feed: what the other process has listed last.
  ///   - length: how long it keeps what it has made; all that is listed longer here isn't counted
  ///     on.
  init(_ feed: StreamFeed, length: Duration) {
    let limit = length / .seconds(1)
    for rendition in feed.renditions {
      guard let playlist = MediaPlaylistText(rendition.playlist) else { continue }
      let folder = "/hls/\(feed.wedding)/\(feed.camera)/\(rendition.name)/"
      var total = 0.0
      for entry in playlist.entries.reversed() where !entry.isGap {
        guard total < limit else { break }
        total += entry.duration
        paths.insert(folder + entry.name)
      }
    }
  }

  func contains(_ path: String) -> Bool { paths.contains(path) }
}
