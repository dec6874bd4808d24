import Viewers
import Access
import HLS
import Media
import Transcode

/// All renditions of a program, in step: each has the segment of the same camera in the same place.
///
/// Confined to the program. A rung's segments come some time after the source's. Where the camera
/// has no such rung, another one stands in: the next smaller, else the next larger.
struct ProgramRenditions {
  /// So many places may be open; of those before it the rungs take what there is.
  private static let patience = 6

  /// A place that some rendition has yet to fill.
  private struct Open {
    let slot: ProgramSequencer.Slot
    /// By rendition.
    var pieces: [String: Segment] = [:]
  }

  /// One rendition and the place that it fills next.
  private struct Line {
    let rank: Int
    var rendition: Rendition
    var next: Int
    var info: VariantInfo
  }

  private let key: StreamKey
  private let outlet: StreamOutlet
  private let window: LiveWindow.Configuration
  private let plans: Plans
  /// Viewers whose plan has a rung, where there are rungs.
  private let laddered: UInt32
  /// Whether another node has shown rungs already, which are to go on where its source does.
  private var goesOn: Bool
  private var lines: [Line] = []
  private var open: [Open] = []
  private var masters = MasterPlaylists()
  private var lastVersion: UInt64 = 0
  /// Whether it has ended before anything was made of it here.
  private var hasEndedUnseen = false
  /// Whose segment the source's last one is.
  private(set) var shown: ShownPlace?
  /// Rungs that another one stood in for.
  private(set) var substituted = 0

  /// Makes a program without any.
  ///
  /// - Parameters:
  ///   - key: the program's.
  ///   - configuration: of all streams.
  ///   - goesOn: whether another node has brought it so far: its first places then wait for rungs,
  ///     which come after the source.
  ///   - outlet: where its snapshots go.
  init(
    _ key: StreamKey, configuration: StreamConfiguration, goesOn: Bool = false, outlet: StreamOutlet
  ) {
    self.key = key
    self.goesOn = goesOn
    self.outlet = outlet
    window = configuration.liveWindow()
    let plans = configuration.plans
    self.plans = plans
    laddered = (configuration.ladder?.job.rungs ?? []).reduce(0) { viewers, rung in
      viewers | plans.viewers(of: rung.name, publisher: 0)
    }
  }

  /// Goes on from a camera's own playlists.
  mutating func begin(with seed: ProgramSeed) {
    let all = [seed.source] + seed.rungs
    for (rendition, offer) in all.compactMap({ each in
      seed.offers.first { $0.name == each.name }.map { (each, $0) }
    }) {
      rendition.shareArchived()
      lines.append(
        Line(
          rank: offer.rank, rendition: rendition, next: rendition.window.state.nextSequence,
          info: offer.info))
    }
    if let last = seed.source.window.segments.last {
      shown = ShownPlace(camera: seed.camera, sequence: last.sequence)
    }
    // What its rungs have yet to be given stands in the source's playlist.
    let behind = lines.map(\.next).min() ?? 0
    for segment in seed.source.window.segments where segment.sequence >= behind {
      let discontinuity = segment.discontinuitySequence - (segment.isDiscontinuity ? 1 : 0)
      let state = WindowState(
        nextSequence: segment.sequence, discontinuitySequence: discontinuity,
        targetDuration: segment.targetDuration, endTime: segment.startTime,
        endDate: segment.programDate)
      open.append(
        Open(
          slot: ProgramSequencer.Slot(
            camera: seed.camera, sequence: segment.sequence, state: state,
            isDiscontinuity: segment.isDiscontinuity, programDate: segment.programDate),
          pieces: [Renditions.sourceName: segment]))
    }
  }

  /// Of all segments that are kept, listed or not.
  var keptBytes: Int { lines.reduce(0) { $0 + $1.rendition.keptBytes } }

  /// The source's window.
  var source: LiveWindow? { lines.first { $0.rank == 0 }?.rendition.window }

  /// The windows of all, by name.
  var windows: [String: LiveWindow] {
    Dictionary(
      lines.map { ($0.rendition.name, $0.rendition.window) },
      uniquingKeysWith: { first, _ in first })
  }

  /// Whether its playlists say that it is over; where it has none, those that another node has
  /// listed.
  var isEnded: Bool { source?.isEnded ?? hasEndedUnseen }

  /// Another node has brought it further, as is known by now.
  mutating func goOn() { goesOn = true }

  // MARK: Segments

  /// A place is decided.
  ///
  /// - Parameters:
  ///   - slot: follows the one before.
  ///   - pieces: the camera's segments of it that there are.
  mutating func add(_ slot: ProgramSequencer.Slot, _ pieces: [String: Segment]) {
    for index in lines.indices { lines[index].rendition.reopen() }
    hasEndedUnseen = false
    open.append(Open(slot: slot, pieces: pieces))
  }

  /// A camera has made a segment; it is kept where a place wants it.
  mutating func add(_ segment: Segment, rendition: String, of camera: String) {
    for index in open.indices
    where open[index].slot.camera == camera && open[index].slot.sequence == segment.sequence {
      open[index].pieces[rendition] = segment
    }
  }

  /// Fills the places that can be filled by now.
  ///
  /// - Parameters:
  ///   - offers: what each camera has.
  ///   - now: a monotonic clock.
  /// - Returns: the source's segments among it, and whether viewers have anything new.
  mutating func fill(
    _ offers: [String: [ProgramOffer]], now: MediaTime
  ) -> (source: [Segment], isChanged: Bool) {
    for place in open { addLines(place.slot, offers[place.slot.camera] ?? []) }
    var isChanged = false
    var source: [Segment] = []
    for index in lines.indices {
      while let place = open.first(where: { $0.slot.number >= lines[index].next }),
        let piece = piece(for: lines[index], place, offers[place.slot.camera] ?? [])
      {
        let standing = place.slot.standing(piece.segment)
        // Those who watch the program watch the camera that it shows.
        lines[index].rendition.interest = piece.interest
        lines[index].next = place.slot.number + 1
        if lines[index].rendition.append(standing, now: now) { isChanged = true }
        guard lines[index].rank == 0 else { continue }
        source.append(standing)
        shown = ShownPlace(camera: place.slot.camera, sequence: place.slot.sequence)
      }
    }
    let oldest = lines.lazy.map(\.next).min() ?? 0
    let newest = open.last?.slot.number ?? 0
    open.removeAll {
      $0.slot.number < oldest && !(goesOn && newest - $0.slot.number < Self.patience)
    }
    return (source, isChanged)
  }

  /// Renditions that a camera has and the program has not had yet begin with a place of it.
  private mutating func addLines(_ slot: ProgramSequencer.Slot, _ offers: [ProgramOffer]) {
    for offer in offers where offer.first <= slot.sequence {
      if let index = lines.firstIndex(where: { $0.rendition.name == offer.name }) {
        lines[index].info = offer.info
        lines[index].rendition.viewers |= offer.viewers
        continue
      }
      var state = slot.state
      state.targetDuration = nil
      var rendition = Rendition(
        offer.name, of: key, window: window, state: state, outlet: outlet)
      rendition.viewers = offer.viewers
      lines.append(
        Line(rank: offer.rank, rendition: rendition, next: slot.number, info: offer.info))
      lines.sort { $0.rank < $1.rank }
    }
  }

  /// The segment that a rendition has in a place; nil where it is not there yet.
  private mutating func piece(
    for line: Line, _ place: Open, _ offers: [ProgramOffer]
  ) -> (segment: Segment, interest: RenditionInterest?)? {
    let there = offers.filter { $0.first <= place.slot.sequence && $0.viewers != 0 }
    let wanted =
      there.first { $0.rank == line.rank }
      ?? there.filter { $0.rank > line.rank }.min { $0.rank < $1.rank }
      ?? there.filter { $0.rank < line.rank && $0.rank > 0 }.max { $0.rank < $1.rank }
      ?? there.first { $0.rank == 0 }
    let newest = open.last?.slot.number ?? place.slot.number
    if let wanted {
      if let piece = place.pieces[wanted.name] {
        if wanted.rank != line.rank { substituted += 1 }
        return (piece, wanted.interest)
      }
      guard newest - place.slot.number >= Self.patience else { return nil }
    }
    // It will not come any more, or the camera has nothing that is for these viewers.
    substituted += 1
    let piece =
      place.pieces[line.rendition.name] ?? place.pieces[Renditions.sourceName]
      ?? place.pieces.values.first
    return piece.map { ($0, nil) }
  }

  // MARK: The end

  /// Ends all playlists.
  mutating func end(now: MediaTime) -> Bool {
    var isChanged = false
    for index in lines.indices where lines[index].rendition.end(now: now) { isChanged = true }
    return isChanged
  }

  /// Ends what another node has made, where nothing has been made of it here.
  mutating func endUnseen() { hasEndedUnseen = lines.isEmpty }

  /// Lets go of segments that nobody may ask for any more.
  mutating func expire(now: MediaTime) -> Bool {
    var isChanged = false
    for index in lines.indices where lines[index].rendition.expire(now: now) { isChanged = true }
    return isChanged
  }

  /// Lets go of the oldest segments before their time.
  ///
  /// - Returns: how many went.
  mutating func shorten(by bytes: Int, keeping rest: LiveWindow.Rest, now: MediaTime) -> Int {
    let total = max(1, keptBytes)
    let wanted = min(bytes, total)
    var count = 0
    for index in lines.indices {
      let own = Double(lines[index].rendition.keptBytes) / Double(total)
      count += lines[index].rendition.shorten(
        by: Int(Double(wanted) * own) + 1, keeping: rest, now: now)
    }
    return count
  }

  // MARK: Viewers

  /// Tells viewers what there is.
  ///
  /// - Parameter offers: of all cameras: a playlist of playlists says what any of them may need.
  mutating func show(_ offers: [String: [ProgramOffer]]) {
    let version = outlet.nextVersion()
    lastVersion = version
    let listed = lines.compactMap { line -> MasterPlaylists.Entry? in
      guard line.rendition.snapshot != nil else { return nil }
      var info = line.info
      for others in offers.values {
        for other in others where other.name == line.rendition.name {
          info.bandwidth = max(info.bandwidth, other.info.bandwidth)
          info.averageBandwidth = max(info.averageBandwidth, other.info.averageBandwidth)
        }
      }
      return MasterPlaylists.Entry(
        name: line.rendition.name, viewers: line.rendition.viewers, info: info)
    }
    let own = masters.make(listed, of: key, plans: plans) { outlet.tag("m\($0)-", version) }
    outlet.publish(
      StreamSnapshot(
        key: key, version: version, isOver: isEnded, masters: own,
        renditions: lines.compactMap(\.rendition.snapshot),
        coming: hasEndedUnseen ? [] : coming(own)))
  }

  /// Those whose plan has rungs and who have nothing yet: a camera's come after its source.
  private func coming(_ masters: [MasterResponse?]) -> [ComingRendition] {
    let waiting = masters.indices.reduce(into: UInt32(0)) { bits, plan in
      if masters[plan] == nil { bits |= laddered & 1 << UInt32(plan) }
    }
    return waiting == 0 ? [] : [ComingRendition(name: [], viewers: waiting)]
  }

  /// Takes all away from viewers.
  func forget() {
    outlet.forget(key, version: lastVersion)
    for line in lines { line.rendition.discard() }
  }

  /// What the API is told of them.
  var status: [(name: String, viewers: UInt32, info: VariantInfo)] {
    lines.filter { $0.rendition.snapshot != nil }.map {
      ($0.rendition.name, $0.rendition.viewers, $0.info)
    }
  }
}
