import Viewers

/// What an edge adds to the numbers of a stream that has begun anew, so that its viewers' never go
/// back.
///
/// The last resort: as a rule the next node that has a stream knows how far it was. Names of
/// segments stay what they are, and so what they lead to.
struct NumberShift: Equatable {
  /// Far more than any stream has segments, and room for as many.
  private static let most = 1 << 54

  private(set) var sequence = 0
  private var discontinuity = 0

  var isNone: Bool { self == NumberShift() }

  /// Has a stream that has begun anew come after what viewers have.
  ///
  /// - Parameters:
  ///   - answer: of its node, shifted as those before it.
  ///   - known: what viewers have.
  mutating func grow(for answer: StreamFeed, after known: StreamFeed) {
    var (segments, breaks) = (0, 0)
    for rendition in answer.renditions {
      guard let before = known.renditions.first(where: { $0.name == rendition.name }) else {
        continue
      }
      let first =
        MediaPlaylistText.firstSequence(of: rendition.playlist) ?? rendition.nextSequence
      segments = max(segments, before.nextSequence - first)
      guard let old = MediaPlaylistText(before.playlist),
        let new = MediaPlaylistText(rendition.playlist)
      else { continue }
      let last = old.discontinuitySequence + old.entries.count { $0.isDiscontinuity }
      breaks = max(breaks, last + 1 - new.discontinuitySequence)
    }
    sequence = min(sequence + segments, Self.most)
    discontinuity = min(discontinuity + breaks, Self.most)
  }

  /// What a node tells, with numbers that viewers are to have.
  func shifted(_ feed: StreamFeed) -> StreamFeed {
    guard !isNone else { return feed }
    var feed = feed
    for index in feed.renditions.indices {
      feed.renditions[index].nextSequence += sequence
      feed.renditions[index].playlist = MediaPlaylistText.shifted(
        feed.renditions[index].playlist, sequence: sequence, discontinuity: discontinuity)
    }
    return feed
  }
}
