package import HLS

/// A master playlist as viewers of one plan get it.
package struct MasterResponse: Sendable {
  package let playlist: PlaylistResponse
  /// What it lists; players start with the first.
  package let variants: [MasterPlaylist.Variant]

  package init(playlist: PlaylistResponse, variants: [MasterPlaylist.Variant]) {
    self.playlist = playlist
    self.variants = variants
  }

  /// The same with a rendition first; nil where it lists no such.
  ///
  /// Made for one viewer, who asks for it once in an evening.
  func playlist(startingWith rendition: String) -> PlaylistResponse? {
    guard let index = variants.firstIndex(where: { $0.uri.hasSuffix("/\(rendition)/index.m3u8") })
    else { return nil }
    var variants = variants
    variants.insert(variants.remove(at: index), at: 0)
    return PlaylistResponse(MasterPlaylist(variants).text, maximumAge: 0, tag: nil)
  }
}
