import Viewers
import Access
import HLS
import Media

/// The playlists of playlists of a stream, for viewers of each plan: made anew only where they say
/// something new.
struct MasterPlaylists {
  /// A rendition that can be listed.
  struct Entry {
    let name: String
    /// Who may have it: bit n is the viewers' plan n.
    let viewers: UInt32
    let info: VariantInfo
  }

  private var made: [MasterResponse?] = []

  /// Makes those that say something new.
  ///
  /// - Parameters:
  ///   - entries: in their order.
  ///   - key: whose addresses they get.
  ///   - plans: of viewers.
  ///   - tag: of the text for a plan.
  /// - Returns: one for each plan, the first for viewers without one.
  mutating func make(
    _ entries: [Entry], of key: StreamKey, plans: Plans, tag: (Plans.Number) -> String
  ) -> [MasterResponse?] {
    let all = entries.map { entry in
      // The program's playlist stands one folder up, so the addresses in it are absolute.
      let uri = "/hls/\(key.wedding)/\(key.camera)/\(entry.name)/index.m3u8"
      return (entry.viewers, MasterPlaylist.Variant(uri: uri, info: entry.info))
    }
    for plan in 0...plans.plans.count {
      let variants = all.filter { $0.0 >> UInt32(plan) & 1 == 1 }.map(\.1)
      if plan == made.count { made.append(nil) }
      if made[plan]?.variants == variants { continue }
      made[plan] =
        variants.isEmpty
        ? nil
        : MasterResponse(
          playlist: PlaylistResponse(
            MasterPlaylist(variants).text, maximumAge: 2, wedding: key.wedding, tag: tag(plan)),
          variants: variants)
    }
    return made
  }
}
