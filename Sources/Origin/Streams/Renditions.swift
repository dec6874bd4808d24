import Viewers
import Access
import ControlAPI
import HLS
import Media
import TLS
import Transcode

/// All renditions of a live stream as viewers get them: the source and the rungs below it.
///
/// Confined to the stream's owner. A segment goes in plain, is sealed where that is wanted, and
/// stands in its rendition's window; one snapshot then has all that changed.
struct Renditions {
  /// The name of the rendition that passes the publisher's own coding through.
  static let sourceName = "source"

  /// One of them.
  enum Place: Hashable {
    case source
    /// By its place in the ladder's job.
    case rung(Int)
  }

  let key: StreamKey
  private let outlet: StreamOutlet
  private let window: LiveWindow.Configuration
  private let keyLifetime: Int64
  private(set) var source: Rendition
  /// In the order of the master playlist, after the source.
  private(set) var rungs: [(place: Int, rendition: Rendition)] = []
  private var sealer: SegmentSealer
  private var masters = MasterPlaylists()
  /// The same under the program's addresses, for the main camera: it is the program as long as
  /// there is no other, and viewers stay where they are when there is one.
  private var programMasters = MasterPlaylists()
  private let program: StreamKey?
  private let plans: Plans
  /// The publisher's.
  private var plan: Plans.Number
  /// Whether there are rungs besides the source; without any, everybody has the source.
  private let hasLadder: Bool
  private var lacking: LackingRenditions
  private var lastVersion: UInt64 = 0

  init(
    _ key: StreamKey, state: WindowState, configuration: StreamConfiguration, outlet: StreamOutlet
  ) {
    self.key = key
    self.outlet = outlet
    program =
      key.camera == Claims.mainCamera
      ? StreamKey(wedding: key.wedding, camera: Program.name) : nil
    window = configuration.liveWindow()
    plans = configuration.plans
    plan = configuration.plans.standard
    hasLadder = configuration.ladder != nil
    lacking = LackingRenditions(configuration.ladder?.job.rungs ?? [])
    keyLifetime = configuration.keyLifetimeMilliseconds
    source = Rendition(
      Self.sourceName, of: key, window: window, state: state, outlet: outlet)
    let most = 1 + (configuration.ladder?.job.rungs.count ?? 0)
    sealer = SegmentSealer(
      configuration.encryption.map { KeySchedule(configuration: $0) }, renditions: most)
  }

  /// The stream has another rung, from its next segment on.
  mutating func add(rung: Int, name: String, interest: RenditionInterest?) {
    guard !rungs.contains(where: { $0.place == rung }) else { return }
    var state = source.window.state
    state.targetDuration = nil
    var rendition = Rendition(name, of: key, window: window, state: state, outlet: outlet)
    rendition.viewers = viewers(of: rendition)
    rendition.interest = interest
    rungs.append((rung, rendition))
    rungs.sort { $0.place < $1.place }
  }

  /// A publisher of a plan follows.
  mutating func begin(plan: Plans.Number) {
    self.plan = plan
    source.viewers = viewers(of: source)
    for index in rungs.indices {
      rungs[index].rendition.viewers = viewers(of: rungs[index].rendition)
    }
  }

  private func viewers(of rendition: Rendition) -> UInt32 {
    hasLadder ? plans.viewers(of: rendition.name, publisher: plan) : .max
  }

  /// Of all segments that are kept, listed or not.
  var keptBytes: Int { rungs.reduce(source.keptBytes) { $0 + $1.rendition.keptBytes } }

  /// The same, and what waits for a key.
  var heldBytes: Int { keptBytes + sealer.waitingBytes }

  // MARK: Keys

  /// Takes a key that viewers can have from now on.
  mutating func add(_ key: StreamKeyMaterial) { sealer.add(key) }

  /// The next segment gets another key.
  mutating func rotateKey() { sealer.rotate() }

  /// The key that was asked for may never come, as who asked has gone.
  mutating func askAgain() { sealer.askAgain() }

  /// Whether a key is to be made, which `add` is then given; true once for each.
  mutating func takeWant() -> Bool { sealer.takeWant() }

  /// Whether more waits for a key than can.
  var isStuck: Bool { sealer.isStuck }

  // MARK: Segments

  /// Tells viewers of a stream that has begun that there is soon something for them to see.
  mutating func announce(_ describe: (Place) -> VariantInfo?) {
    if source.snapshot == nil { outlet.publish(snapshot(describe)) }
  }

  /// Takes a finished segment; `publish` brings it to viewers.
  mutating func append(_ segment: Segment, of place: Place) { sealer.append(segment, of: place) }

  /// Brings to viewers what they can have by now.
  ///
  /// - Parameters:
  ///   - now: the owner's monotonic clock.
  ///   - describe: what a rendition needs of a viewer; one that gives nil is not listed yet.
  /// - Returns: all that is new.
  /// - Throws: what libcrypto says of a segment, which is then lost.
  mutating func publish(
    now: MediaTime, describe: (Place) -> VariantInfo?
  ) throws(TLSError) -> [(place: Place, segment: Segment)] {
    var published: [(place: Place, segment: Segment)] = []
    var isChanged = false
    defer {
      if isChanged { outlet.publish(snapshot(describe)) }
      for key in sealer.takeRetired() { outlet.retire(key, neededFor: keyLifetime) }
    }
    while let (place, segment) = try sealer.next(now: now) {
      published.append((place, segment))
      switch place {
      case .source:
        if source.append(segment, now: now) { isChanged = true }
      case .rung(let rung):
        guard let index = rungs.firstIndex(where: { $0.place == rung }) else { continue }
        if rungs[index].rendition.append(segment, now: now) { isChanged = true }
      }
    }
    return published
  }

  /// Goes on after an end.
  mutating func reopen() {
    source.reopen()
    for index in rungs.indices { rungs[index].rendition.reopen() }
  }

  /// Ends all playlists; where there are none yet, those that another process has listed before.
  mutating func end(now: MediaTime, describe: (Place) -> VariantInfo?) {
    var isChanged = !source.window.isEnded
    if source.end(now: now) { isChanged = true }
    for index in rungs.indices where rungs[index].rendition.end(now: now) { isChanged = true }
    if isChanged { outlet.publish(snapshot(describe)) }
  }

  /// Lets go of segments that nobody may ask for any more, while no new ones come.
  mutating func expire(now: MediaTime, describe: (Place) -> VariantInfo?) {
    var isChanged = source.expire(now: now)
    for index in rungs.indices where rungs[index].rendition.expire(now: now) { isChanged = true }
    if isChanged { outlet.publish(snapshot(describe)) }
  }

  /// Lets go of the oldest segments of all renditions before their time; `show` tells viewers.
  ///
  /// - Returns: how many went.
  mutating func shorten(by bytes: Int, keeping rest: LiveWindow.Rest, now: MediaTime) -> Int {
    let total = max(1, keptBytes)
    let wanted = min(bytes, total)
    // By weight, so that all stay about as long.
    func part(_ rendition: Rendition) -> Int {
      Int(Double(wanted) * Double(rendition.keptBytes) / Double(total)) + 1
    }
    var count = source.shorten(by: part(source), keeping: rest, now: now)
    for index in rungs.indices {
      let own = part(rungs[index].rendition)
      count += rungs[index].rendition.shorten(by: own, keeping: rest, now: now)
    }
    return count
  }

  /// Brings to viewers what has changed besides.
  mutating func show(_ describe: (Place) -> VariantInfo?) { outlet.publish(snapshot(describe)) }

  /// Takes all away from viewers.
  func forget() {
    outlet.forget(key, version: lastVersion)
    for rendition in [source] + rungs.map(\.rendition) { rendition.discard() }
    for key in sealer.held { outlet.retire(key, neededFor: keyLifetime) }
  }

  /// What an operator and the API are told of them: those that a master playlist can list.
  func status(_ describe: (Place) -> VariantInfo?) -> [StreamQuality] {
    let all = [(Place.source, source)] + rungs.map { (Place.rung($0.place), $0.rendition) }
    return all.compactMap { place, rendition in
      guard rendition.snapshot != nil, let info = describe(place) else { return nil }
      return StreamQuality(
        name: rendition.name, width: info.size?.width ?? 0, height: info.size?.height ?? 0,
        frameRate: info.frameRate ?? 0, bandwidth: info.bandwidth,
        averageBandwidth: info.averageBandwidth, codecs: info.codecs,
        isOpen: rendition.viewers & 1 == 1,
        plans: plans.names(in: rendition.viewers))
    }
  }

  // MARK: Snapshots

  private mutating func snapshot(_ describe: (Place) -> VariantInfo?) -> StreamSnapshot {
    let version = outlet.nextVersion()
    lastVersion = version
    let entries = entries(describe)
    let own = masters.make(entries, of: key, plans: plans) { outlet.tag("m\($0)-", version) }
    let isProgram = program != nil && !outlet.hasProgram(key.wedding)
    let shared = program.map { program in
      programMasters.make(entries, of: program, plans: plans) { outlet.tag("p\($0)-", version) }
    }
    return StreamSnapshot(
      key: key, version: version, isOver: source.window.isEnded, isProgram: isProgram,
      masters: own,
      programMasters: shared ?? [],
      renditions: ([source] + rungs.map(\.rendition)).compactMap(\.snapshot),
      coming: source.window.isEnded ? [] : coming(entries),
      lacking: lacking.make(
        besides: rungs.map(\.place), source: describe(.source)?.size))
  }

  /// Renditions that the stream has and no playlist of playlists lists yet.
  private func coming(_ listed: [MasterPlaylists.Entry]) -> [ComingRendition] {
    ([source] + rungs.map(\.rendition)).filter { each in
      !listed.contains { $0.name == each.name }
    }.map {
      ComingRendition(name: Array($0.name.utf8), viewers: $0.viewers)
    }
  }

  /// What the playlists of playlists list.
  private func entries(_ describe: (Place) -> VariantInfo?) -> [MasterPlaylists.Entry] {
    let unknown = VariantInfo(
      bandwidth: 0, averageBandwidth: 0, codecs: [], size: nil, frameRate: nil)
    var entries: [MasterPlaylists.Entry] = []
    if source.snapshot != nil {
      entries.append(
        MasterPlaylists.Entry(
          name: source.name, viewers: source.viewers, info: describe(.source) ?? unknown))
    }
    for (place, rendition) in rungs where rendition.snapshot != nil {
      guard let info = describe(.rung(place)) else { continue }
      entries.append(
        MasterPlaylists.Entry(name: rendition.name, viewers: rendition.viewers, info: info))
    }
    return entries
  }
}

// MARK: The program

extension Renditions {
  /// What the program of the wedding needs to know of them.
  func offers(_ describe: (Place) -> VariantInfo?) -> [ProgramOffer] {
    let all =
      [(Place.source, 0, source)] + rungs.map { (.rung($0.place), $0.place + 1, $0.rendition) }
    return all.compactMap { place, rank, rendition in
      guard rendition.snapshot != nil, let info = describe(place) else { return nil }
      return ProgramOffer(
        name: rendition.name, rank: rank, first: rendition.firstSequence,
        viewers: rendition.viewers, info: info, interest: rendition.interest)
    }
  }

  /// The name of a rendition.
  func name(of place: Place) -> String? {
    switch place {
    case .source: source.name
    case .rung(let rung): rungs.first { $0.place == rung }?.rendition.name
    }
  }

  /// Its playlists as they are, for a program that goes on from them.
  func seed(
    _ broadcast: Broadcast, isLive: Bool, _ describe: (Place) -> VariantInfo?
  ) -> ProgramSeed {
    ProgramSeed(
      camera: key.camera, isLive: isLive, broadcast: broadcast, source: source,
      rungs: rungs.map(\.rendition),
      offers: offers(describe))
  }
}
