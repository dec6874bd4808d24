import Access
import ControlAPI
import EventLoop
import Events
import HLS
import Media
import RTMP

/// A wedding's program: a stream of its own whose segments are those of the active camera.
///
/// Confined to one loop, its home. Cameras' loops tell it of every segment by mail; nothing of a
/// segment's bytes is copied or sealed anew.
final class Program {
  /// What a program is told once.
  struct Settings: Sendable {
    var streams = StreamConfiguration()
    var rule = CameraReturn.after(milliseconds: 30_000)
  }

  /// What is known of one camera.
  struct Camera {
    var offers: [ProgramOffer] = []
    /// Its last segments: number, rendition, segment.
    var recent: [Int: [String: Segment]] = [:]
    var last: Segment?
    /// When that came.
    var lastAt: Int64 = 0
    /// Whether its stream is there: live, or waiting for its publisher.
    var isOpen = true
    /// Whether it is with a process before this one.
    var isGuest = false

    /// How many numbers are remembered: a switch may need the last one, with all its rungs.
    ///
    /// What comes from another process is nobody else's, and takes memory.
    var remembered: Int { isGuest ? 3 : 8 }
  }

  /// How many target durations a camera may send nothing: as many as players are behind.
  private static let patience: Int64 = 3

  /// In addresses, where a camera's name stands.
  static let name = Claims.programCamera

  let wedding: String
  let key: StreamKey
  let settings: Settings
  let outlet: StreamOutlet
  let hub: Programs
  let loop: Loop
  let now: () -> MediaTime
  var choice: ProgramChoice
  var sequencer: ProgramSequencer
  /// After which segment it goes on, where that is known.
  var place: ProgramPlace?
  /// Its first number, where nobody has said yet how far another node has brought it.
  var blindly: Int?
  /// Whether another node has brought it so far.
  var isInherited: Bool
  /// Whether those who play it have been told that none of its cameras will come back.
  var isOver = false
  var renditions: ProgramRenditions
  private var memory: MemoryShare
  private(set) var cameras: [String: Camera] = [:]
  private var look: ScheduledWork?
  /// Cameras in later processes of this node.
  var heirs = ProgramHeirs()
  /// The camera that is shown, on its way to one of those or from one before this, and what ends
  /// the wait for its picture there.
  var moving: (camera: String, isToHere: Bool, limit: ScheduledWork)?
  /// Whether one of those goes on with it.
  private(set) var isHandedOver = false
  private var status = ProgramStatus()

  /// Opens a program.
  ///
  /// - Parameters:
  ///   - key: its own, of the wedding.
  ///   - start: where it goes on.
  ///   - chosen: the camera that it is to show.
  ///   - seed: the playlists that it goes on from, where one camera was the whole program so far.
  ///   - settings: of all programs.
  ///   - outlet: where its snapshots and its numbers go.
  ///   - memory: what all streams of the node share.
  ///   - hub: is told how it does.
  ///   - loop: its home.
  ///   - now: a clock that never goes back.
  init(
    _ key: StreamKey, start: ProgramStart, chosen: String?, seed: ProgramSeed?,
    settings: Settings, outlet: StreamOutlet, memory: StreamMemory, hub: Programs, loop: Loop,
    now: @escaping () -> MediaTime = MediaTime.now
  ) {
    wedding = key.wedding
    self.key = key
    isInherited = start.isInherited
    self.settings = settings
    self.outlet = outlet
    self.hub = hub
    self.loop = loop
    self.now = now
    self.memory = MemoryShare(memory)
    choice = ProgramChoice(settings.rule, chosen: chosen)
    renditions = ProgramRenditions(
      key, configuration: settings.streams, goesOn: start.isInherited, outlet: outlet)
    let clock = StreamOutlet.wallClockMilliseconds
    let broadcast = seed?.broadcast ?? start.broadcast
    let goesOn = broadcast?.goesOn(settings.streams, now: clock)
    status.startedAtMilliseconds = goesOn == true ? broadcast?.began ?? clock : clock
    if let seed {
      sequencer = ProgramSequencer(seed.source.window.state, goingOnFrom: seed.camera)
      renditions.begin(with: seed)
      cameras[seed.camera] = Camera(
        offers: seed.offers, last: seed.source.window.segments.last, lastAt: milliseconds)
      choice.begin(with: seed.camera, isLive: seed.isLive, now: milliseconds)
      keep()
      show()
    } else {
      sequencer = ProgramSequencer(start)
      blindly = start.isBlind ? start.state.nextSequence : nil
      place = start.shown.map { ProgramPlace(start.state, $0) }
      // What another broadcast has shown, hours ago, says nothing of this one.
      if let camera = start.showing, goesOn != false {
        choice.goOn(with: camera, patience: Self.reunion(settings.streams))
      }
    }
    if let first = start.first { take(first) }
    scheduleTidying()
    tell()
  }

  /// What a camera has shown last, which was live here before the program came.
  private func take(_ seed: ProgramSeed) {
    guard seed.isLive, let last = seed.source.window.segments.last else { return }
    let pieces = ([seed.source] + seed.rungs).compactMap { rendition in
      rendition.window.segments.last { $0.sequence == last.sequence }.map { (rendition.name, $0) }
    }
    take(pieces, seed.offers, of: seed.camera)
  }

  /// How long a program that comes from elsewhere waits for the camera that it showed: all come
  /// within moments, and each has something to show when its segment is made.
  static func reunion(_ streams: StreamConfiguration) -> Int64 {
    2 * MediaTime(streams.fragment).milliseconds
  }

  /// How long the camera that is shown may send nothing.
  var patienceMilliseconds: Int64 { Self.patience * Int64(status.targetDuration ?? 1) * 1_000 }

  var milliseconds: Int64 { now().milliseconds }

  // MARK: Cameras

  /// Takes what a camera's stream tells.
  ///
  /// - Parameters:
  ///   - news: what it is.
  ///   - camera: of the wedding.
  ///   - isGuest: whether it is with a process before this one.
  func take(_ news: ProgramNews, of camera: String, isGuest: Bool = false) {
    guard !isHandedOver else { return }
    defer { cameras[camera]?.isGuest = isGuest }
    switch news {
    case .began:
      cameras[camera, default: Camera()].isOpen = true
      isOver = false
      // What the last publisher sent is no longer what the camera shows.
      cameras[camera]?.last = nil
      if renditions.isEnded { status.startedAtMilliseconds = StreamOutlet.wallClockMilliseconds }
    case .segments(let pieces, let offers):
      if let moving, moving.isToHere, moving.camera == camera, !isGuest { arrive() }
      take(pieces, offers, of: camera)
    case .lost:
      cameras[camera]?.last = nil
      if sequencer.pending == camera { fill(sequencer.cancel()) }
      lose(camera)
    case .over:
      cameras[camera]?.isOpen = false
      lose(camera)
      endIfOver()
    case .gone:
      let wasThere = cameras.removeValue(forKey: camera) != nil
      lose(camera)
      // One that was refused says nothing of the others.
      if wasThere { endIfOver() }
    }
    tell()
  }

  private func take(
    _ pieces: [(rendition: String, segment: Segment)], _ offers: [ProgramOffer], of camera: String
  ) {
    cameras[camera, default: Camera()].offers = offers
    var slots: [ProgramSequencer.Slot] = []
    for (rendition, segment) in pieces {
      cameras[camera]?.recent[segment.sequence, default: [:]][rendition] = segment
      renditions.add(segment, rendition: rendition, of: camera)
      guard rendition == Renditions.sourceName else { continue }
      if let known = cameras[camera], known.recent.count > known.remembered,
        let oldest = known.recent.keys.min()
      {
        cameras[camera]?.recent[oldest] = nil
      }
      cameras[camera]?.last = segment
      cameras[camera]?.lastAt = milliseconds
      if !choice.isLive(camera) {
        changed(choice.live(camera, now: milliseconds), by: camera)
      }
      // The first one, or one that was to be shown when it was lost itself, or moved.
      if choice.active == camera, heir == nil,
        ![sequencer.current, sequencer.pending].contains(camera)
      {
        slots += sequencer.show(camera, last: nil)
      }
      slots += sequencer.take(segment, of: camera)
    }
    fill(slots)
    leaveStalled()
  }

  /// Another camera has just sent something: the one that is shown and has sent nothing for long,
  /// though its publisher is there, is as good as lost; players have no more to show soon.
  func leaveStalled() {
    guard let active = choice.active, choice.isLive(active), let camera = cameras[active],
      heir == nil, moving == nil, milliseconds - camera.lastAt > patienceMilliseconds
    else { return }
    changed(choice.lost(active, now: milliseconds))
  }

  /// Shows the camera that the choice has come to by itself, where nothing has been shown yet, or
  /// another process has shown another one.
  private func begin() {
    guard let active = choice.active, sequencer.current != active, sequencer.pending == nil,
      heir == nil
    else { return }
    fill(sequencer.show(active, last: cameras[active]?.last))
  }

  /// Somebody has chosen a camera.
  func choose(_ camera: String) {
    guard !isHandedOver else { return }
    changed(choice.choose(camera))
    begin()
    tell()
  }

  /// A camera is gone for good.
  func remove(_ camera: String) {
    guard !isHandedOver else { return }
    if sequencer.pending == camera { fill(sequencer.cancel()) }
    changed(choice.removed(camera, now: milliseconds))
    tell()
  }

  /// Sets which camera follows one that is lost.
  func set(priorities: [String: Int]) { choice.set(priorities: priorities) }

  /// Shows another camera, where that was decided.
  ///
  /// - Parameters:
  ///   - change: nil for none.
  ///   - camera: whose newest segment has led to it, and is taken by itself.
  func changed(_ change: ProgramChoice.Change?, by camera: String? = nil) {
    if let change {
      let last = change.to == camera ? nil : cameras[change.to]?.last
      // What another process is to show is shown there; until it does so, this goes on.
      if heir == nil { fill(sequencer.show(change.to, last: last)) }
      hub.switched(wedding, change)
      status.switches += 1
    }
    if let look { loop.cancel(look) }
    look = choice.nextLook.map { time in
      loop.schedule(after: .milliseconds(max(1, time - milliseconds))) { [unowned self] in
        changed(choice.due(now: milliseconds))
        begin()
        tell()
      }
    }
  }

  // MARK: Segments

  private func fill(_ slots: [ProgramSequencer.Slot]) {
    for slot in slots {
      renditions.add(slot, cameras[slot.camera]?.recent[slot.sequence] ?? [:])
    }
    let offers = cameras.mapValues(\.offers)
    let (source, isChanged) = renditions.fill(offers, now: now())
    if !source.isEmpty { keep() }
    guard isChanged else { return }
    relieveMemory()
    show()
  }

  /// Records how far viewers have it, for whoever makes it next.
  private func keep() {
    outlet.keep(key, sequencer.state, began: status.startedAtMilliseconds)
    guard let source = renditions.source else { return }
    place = renditions.shown.map { ProgramPlace(source.state, $0) }
    outlet.tell(
      key,
      StreamLeasing.Progress(
        state: source.state, publisherEnd: nil, camera: choice.active, shown: renditions.shown,
        broadcast: broadcast)
    ) {}
  }

  func show() {
    renditions.show(cameras.mapValues(\.offers))
    memory.hold(renditions.keptBytes)
  }

  private func relieveMemory() {
    memory.hold(renditions.keptBytes)
    let surplus = memory.surplus
    guard surplus > 0 else { return }
    memory.noteShortened(
      renditions.shorten(by: surplus, keeping: choice.isLive ? .live : .over, now: now()))
    memory.hold(renditions.keptBytes)
  }

  private func scheduleTidying() {
    loop.schedule(after: .seconds(10)) { [weak self] in
      self?.tidy()
      self?.scheduleTidying()
    }
  }

  /// Lets go of segments that nobody may ask for any more, while no new ones come.
  func tidy() {
    forgetSilentHeirs()
    if renditions.expire(now: now()) { show() }
    // Those that had cameras of it may have none any more.
    guard !cameras.isEmpty, isInherited || renditions.source != nil else { return }
    endIfOver()
    tell()
  }

  /// Shows nothing new from now on: a later process of this node goes on.
  ///
  /// - Returns: how far viewers have it, the camera that was chosen, and last the one that they
  ///   see.
  func handOver() -> StreamLeasing.Progress {
    isHandedOver = true
    if let look { loop.cancel(look) }
    look = nil
    arrive()
    hub.ended(key)
    tell()
    return StreamLeasing.Progress(
      state: renditions.source?.state ?? sequencer.state, publisherEnd: nil,
      camera: choice.active, chosen: choice.chosen, shown: renditions.shown ?? sequencer.leftAfter,
      broadcast: broadcast)
  }

  private var broadcast: Broadcast {
    Broadcast(began: status.startedAtMilliseconds, last: status.startedAtMilliseconds)
      .seen(sequencer.state.endDate)
  }

  /// Takes the program away from viewers.
  func close() {
    if let look { loop.cancel(look) }
    look = nil
    arrive()
    renditions.forget()
  }

  // MARK: Status

  func tell() {
    status.active = choice.active
    status.heir = isHandedOver ? nil : heir
    status.isHandedOver = isHandedOver
    status.place = isHandedOver ? nil : place
    status.isLeft = isLeft
    status.isLive = choice.isLive
    status.isEnded = renditions.isEnded
    status.nextSequence = sequencer.state.nextSequence
    status.targetDuration = sequencer.state.targetDuration
    status.segments = renditions.source?.segments.count ?? 0
    let plans = settings.streams.plans
    status.qualities = renditions.status.map { name, viewers, info in
      StreamQuality(
        name: name, width: info.size?.width ?? 0, height: info.size?.height ?? 0,
        frameRate: info.frameRate ?? 0, bandwidth: info.bandwidth,
        averageBandwidth: info.averageBandwidth, codecs: info.codecs,
        isOpen: viewers & 1 == 1, plans: plans.names(in: viewers))
    }
    hub.set(status, of: wedding)
  }
}
