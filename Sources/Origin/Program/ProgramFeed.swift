import Viewers
import HLS

/// A rendition that a camera has, as the program of its wedding needs to know it.
struct ProgramOffer: Sendable {
  let name: String
  /// 0 is the source; the larger the number, the smaller the picture.
  let rank: Int
  /// The number of its first segment.
  let first: Int
  /// Who may have it: bit n is the viewers' plan n.
  let viewers: UInt32
  let info: VariantInfo
  /// Who watches it; nil where it is made all the time.
  let interest: RenditionInterest?
}

/// What a camera's stream tells the program of its wedding.
enum ProgramNews: Sendable {
  /// A publisher has begun.
  case began
  /// Segments that viewers can have by now, each with its rendition's name, and all renditions.
  case segments([(rendition: String, segment: Segment)], offers: [ProgramOffer])
  /// The publisher has gone.
  case lost
  /// Its publisher was away for too long: the stream is over.
  case over
  /// The stream is no longer there.
  case gone
}

/// A camera's playlists as they are, for a program that goes on from them.
struct ProgramSeed: Sendable {
  let camera: String
  let isLive: Bool
  /// Since when it has been on the air.
  let broadcast: Broadcast
  let source: Rendition
  let rungs: [Rendition]
  let offers: [ProgramOffer]
}
