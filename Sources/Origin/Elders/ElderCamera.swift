import HLS
import Media
import Viewers

/// What a process has of one camera of a wedding with several, as it tells the one after it: all
/// that a program needs to show it but the segments' bytes.
package struct ElderCamera: Codable, Equatable, Sendable {
  /// A segment of one rendition.
  struct Piece: Codable, Equatable, Sendable {
    var rendition: String
    var name: String
    var sequence: Int
    /// How long it lasts.
    var ticks: Int64
    /// Milliseconds since 1970.
    var programDate: Int64
    var isDiscontinuity: Bool
    var isIndependent: Bool
    var targetDuration: Int
    var byteCount: Int
    /// Where its key is, where it is encrypted.
    var key: String?
    var vector: Int?
  }

  /// A rendition, as `ProgramOffer`.
  struct Offer: Codable, Equatable, Sendable {
    var name: String
    var rank: Int
    var first: Int
    var viewers: UInt32
    var info: VariantInfo
    /// Whether it is made only while somebody watches it.
    var isOnDemand: Bool
  }

  var key: StreamKey
  /// Counts its publishers there.
  var round = 0
  /// Whether it has something to show.
  var isLive = false
  /// Whether it may have again: it waits for its publisher at least.
  var isOpen = true
  /// Whether its stream is there.
  var isThere = true
  var offers: [Offer] = []
  /// The last ones, the newest last.
  var pieces: [Piece] = []

  /// The longest answer may have so many of each.
  private static let most = 256

  /// Whether it is about what a stream can have; another process has said it.
  var isPossible: Bool {
    offers.count <= Self.most && pieces.count <= Self.most
      && offers.allSatisfy { (0...64).contains($0.rank) && Self.isNumber($0.first) }
      && pieces.allSatisfy(\.isPossible)
  }

  fileprivate static func isNumber(_ number: Int) -> Bool { (0..<1 << 53).contains(number) }
}

extension ElderCamera.Piece {
  init(_ segment: Segment, rendition: String) {
    self.rendition = rendition
    name = segment.name
    sequence = segment.sequence
    ticks = segment.duration.ticks
    programDate = segment.programDate
    isDiscontinuity = segment.isDiscontinuity
    isIndependent = segment.isIndependent
    targetDuration = segment.targetDuration
    byteCount = segment.byteCount
    key = segment.key?.uri
    vector = segment.key?.vector
  }

  /// Where its bytes are, with the process that has told of it.
  func path(of stream: StreamKey) -> String {
    "/cluster/hls/\(stream.wedding)/\(stream.camera)/\(rendition)/\(name)"
  }

  /// The segment, with its bytes.
  func segment(_ bytes: [UInt8]) -> Segment {
    // Where it stands in a time line, and after how many breaks, the program says.
    Segment(
      name: name, sequence: sequence, discontinuitySequence: 0, bytes: bytes,
      duration: MediaTime(ticks: ticks), startTime: .zero, programDate: programDate,
      isDiscontinuity: isDiscontinuity, isIndependent: isIndependent,
      targetDuration: targetDuration, key: key.map { SegmentKey(uri: $0, vector: vector) })
  }

  fileprivate var isPossible: Bool {
    let day = MediaTime(milliseconds: 86_400_000).ticks
    return ElderCamera.isNumber(sequence) && (0...day).contains(ticks)
      && (-(1 << 53)..<1 << 53).contains(programDate) && (1...3_600).contains(targetDuration)
      && (1...1 << 30).contains(byteCount) && ElderCamera.isNumber(vector ?? 0)
      // They stand in an address.
      && [rendition, name].allSatisfy { StreamKey(wedding: "w", camera: $0) != nil }
  }
}

extension ElderCamera.Offer {
  init(_ offer: ProgramOffer) {
    (name, rank, first) = (offer.name, offer.rank, offer.first)
    (viewers, info, isOnDemand) = (offer.viewers, offer.info, offer.interest != nil)
  }

  /// The same, as a program here is told of it.
  ///
  /// - Parameter interest: is noted here, and told there.
  /// - Returns: with that.
  func offer(_ interest: RenditionInterest?) -> ProgramOffer {
    ProgramOffer(
      name: name, rank: rank, first: first, viewers: viewers, info: info, interest: interest)
  }
}
