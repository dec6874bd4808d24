import Access
package import HTTPServer
package import Media
import Synchronization

/// All that viewers can fetch of a stream at one moment, made once and shared by every loop.
package final class StreamSnapshot: Sendable {
  package let key: StreamKey
  /// Counts the snapshots of all streams of the process; an older one never replaces a newer one.
  package let version: UInt64
  package let isOver: Bool
  /// The process that has told it; nil where it is of this one.
  package let launch: String?
  /// The number of the lease under which another process has told it, where it names one.
  let epoch: Int64?
  /// Whether the stream is its wedding's program: its main camera's is, as long as there is no
  /// other.
  package let isProgram: Bool
  /// For viewers of each plan, the first for those without one; nil where there is nothing for
  /// them.
  package let masters: [MasterResponse?]
  /// The same under the program's addresses, where the stream is its wedding's program for now.
  package let programMasters: [MasterResponse?]
  package let renditions: [RenditionSnapshot]
  /// Those that have yet to begin, or to be listed.
  package let coming: [ComingRendition]
  /// Those that it hasn't got, with the reason.
  package let lacking: [LackingRendition]
  /// To be told of requests for any of its playlists; nil where nobody wants to know.
  let interest: RenditionInterest?
  /// To be told of requests for renditions that have yet to begin; nil where nobody wants to know.
  let comingInterest: ComingInterest?
  /// As other nodes get it; made when the first of them asks.
  private let told = Mutex<(response: PreparedResponse, epoch: Int64?)?>(nil)
  /// What is said of a quality that there isn't; made when somebody asks for the first one.
  private let refusal = Mutex<PreparedResponse?>(nil)

  package init(
    key: StreamKey, version: UInt64, isOver: Bool, isProgram: Bool? = nil,
    masters: [MasterResponse?], programMasters: [MasterResponse?] = [],
    renditions: [RenditionSnapshot], coming: [ComingRendition] = [],
    lacking: [LackingRendition] = [], interest: RenditionInterest? = nil,
    comingInterest: ComingInterest? = nil, launch: String? = nil, epoch: Int64? = nil
  ) {
    self.comingInterest = comingInterest
    self.launch = launch
    self.epoch = epoch
    self.interest = interest
    self.coming = coming
    self.lacking = lacking
    self.isProgram = isProgram ?? (key.camera == Claims.mainCamera)
    self.programMasters = programMasters
    self.key = key
    self.version = version
    self.isOver = isOver
    self.masters = masters
    self.renditions = renditions
  }
}

extension StreamSnapshot {
  /// The master playlist for viewers of a plan.
  ///
  /// - Parameters:
  ///   - plan: of the viewer.
  ///   - isProgram: whether it was asked for by the program's address.
  /// - Returns: nil where there is nothing for them.
  func master(of plan: Plans.Number, isProgram: Bool = false) -> MasterResponse? {
    let all = isProgram && !programMasters.isEmpty ? programMasters : masters
    return plan < all.count ? all[plan] : all.first ?? nil
  }

  /// What other nodes get.
  ///
  /// - Parameters:
  ///   - launch: names this process; what another one has told is still that one's.
  ///   - epoch: of the lease that this node has of it.
  /// - Returns: the same for all who ask.
  func feed(_ launch: String, epoch: Int64? = nil) -> PreparedResponse {
    let epoch = self.epoch ?? epoch
    return told.withLock { told in
      if let told, told.epoch == epoch { return told.response }
      let made = PreparedResponse(
        fields: [("content-type", "application/json"), ("cache-control", "no-store")],
        body: StreamFeed(self, launch: self.launch ?? launch, epoch: epoch).json)
      told = (made, epoch)
      return made
    }
  }

  /// What who asks for a quality that it hasn't got gets.
  var noQuality: PreparedResponse {
    refusal.withLock { refusal in
      if let refusal { return refusal }
      let names = renditions.map { String(decoding: $0.name, as: UTF8.self) }
      let made = ViewerErrors.noQuality(besides: names)
      refusal = made
      return made
    }
  }

  /// Whether there is soon something for viewers of a plan.
  func isComing(to plan: Plans.Number) -> Bool {
    !isOver && coming.contains { $0.viewers >> UInt32(plan) & 1 == 1 }
  }

  /// How long a viewer waits at most for what comes next.
  var patience: Duration { .seconds(3 * (renditions.first?.targetDuration ?? 3)) }
}

/// One rendition of a snapshot.
package struct RenditionSnapshot: Sendable {
  /// The name in addresses, as bytes: `source`, `720p`.
  package let name: [UInt8]
  /// Who may have it: bit n is the viewers' plan n.
  package let viewers: UInt32
  /// To be told of each request for its playlist; nil where nobody wants to know.
  package let interest: RenditionInterest?
  package let playlist: PlaylistResponse
  /// The media sequence number of the segment that comes next.
  package let nextSequence: Int
  package let targetDuration: Int
  /// How much media the playlist lists when there is so much; 0 where that isn't known.
  package let window: MediaTime
  /// Bits a second of what was sent lately, at the most; 0 where that isn't known.
  package let bitrate: Int
  /// Fetchable segments in the order of their sequence numbers, some no longer in the playlist.
  package let segments: [SegmentResponse]

  package init(
    name: [UInt8], viewers: UInt32 = .max, interest: RenditionInterest? = nil,
    playlist: PlaylistResponse, nextSequence: Int, targetDuration: Int, window: MediaTime = .zero,
    bitrate: Int = 0, segments: [SegmentResponse]
  ) {
    self.window = window
    self.bitrate = bitrate
    self.name = name
    self.viewers = viewers
    self.interest = interest
    self.playlist = playlist
    self.nextSequence = nextSequence
    self.targetDuration = targetDuration
    self.segments = segments
  }

  /// Whether viewers of a plan may have it.
  func isOpen(to plan: Plans.Number) -> Bool { viewers >> UInt32(plan) & 1 == 1 }

  /// Finds a segment by its file name, `{sequence}-{tag}.ts`.
  func segment(_ file: borrowing Span<UInt8>) -> SegmentResponse.Source? {
    guard let sequence = Self.sequence(file), let first = segments.first?.sequence else {
      return nil
    }
    // Numbers run on as a rule, so the place follows from the number; a gap lies before it.
    var place = min(sequence - first, segments.count - 1)
    while place >= 0, segments[place].sequence > sequence { place -= 1 }
    guard place >= 0 else { return nil }
    let segment = segments[place]
    return file.matches(segment.name) ? segment.source : nil
  }

  /// The number that a segment's file name starts with.
  static func sequence(_ file: borrowing Span<UInt8>) -> Int? {
    var sequence = 0
    var index = 0
    while index < file.count, index < 16, file[index] &- UInt8(ascii: "0") < 10 {
      sequence = sequence * 10 + Int(file[index] - UInt8(ascii: "0"))
      index += 1
    }
    return index > 0 && index < file.count && file[index] == UInt8(ascii: "-") ? sequence : nil
  }
}

/// A segment as it is sent.
package struct SegmentResponse: Sendable {
  package let sequence: Int
  package let name: [UInt8]
  package let byteCount: Int
  package let source: Source

  /// Where its bytes are.
  package enum Source: Sendable {
    case memory(PreparedResponse)
    case disk(KeptFileResponse)
    /// On another node.
    case elsewhere
  }

  package init(sequence: Int, name: [UInt8], byteCount: Int, response: PreparedResponse) {
    self.init(sequence: sequence, name: name, byteCount: byteCount, source: .memory(response))
  }

  package init(sequence: Int, name: [UInt8], byteCount: Int, source: Source) {
    self.sequence = sequence
    self.name = name
    self.byteCount = byteCount
    self.source = source
  }
}

extension Span<UInt8> {
  /// Whether these are the bytes of an array.
  func matches(_ bytes: [UInt8]) -> Bool {
    guard count == bytes.count else { return false }
    for index in indices where self[index] != bytes[index] { return false }
    return true
  }
}
