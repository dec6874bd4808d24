import HLS
import HTTPServer
import TestSupport

@testable import HLS
@testable import Viewers

extension PlaylistResponse {
  /// A playlist with one address in it.
  static func sample(_ text: String) -> PlaylistResponse {
    var writer = PlaylistWriter()
    writer.uri(text)
    return PlaylistResponse(PlaylistText(writer), maximumAge: 1, tag: "t")
  }
}

extension StreamSnapshot {
  /// A snapshot of a stream of one rendition without segments.
  convenience init(
    _ wedding: String, _ camera: String = "main", version: UInt64, next: Int = 0,
    isOver: Bool = false
  ) {
    self.init(
      key: .named(wedding, camera), version: version, isOver: isOver,
      masters: [MasterResponse(playlist: .sample("master\(version)"), variants: [])],
      renditions: [
        RenditionSnapshot(
          name: Array("source".utf8), playlist: .sample("media\(version)"), nextSequence: next,
          targetDuration: 3, segments: [])
      ])
  }
}
