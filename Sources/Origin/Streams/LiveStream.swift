import Access
package import EventLoop
package import HLS
package import Ingest
package import Media
package import RTMP
package import Recording
import TLS

/// One live stream: a publisher's messages in, segments and playlists for viewers out, and the
/// same messages for RTMP players.
///
/// It outlives its publishers. At any time one owner alone uses it: the loop of the publisher that
/// has claimed it, or the registry while there is none.
package final class LiveStream {
  /// More discontinuities than these within the period are no accidents: each costs all viewers.
  private static let breaks = 20
  private static let breakPeriod = MediaTime(milliseconds: 10_000)

  package let key: StreamKey
  package let relay: RelaySource
  let outlet: StreamOutlet
  let packager: StreamPackager
  var renditions: Renditions
  var memory: MemoryShare
  private var demuxer = TagDemuxer()
  private var relayClock = RelayClock()
  private let configuration: StreamConfiguration
  let now: () -> MediaTime
  private var breaks: [MediaTime] = []
  private(set) var meter = StreamMeter()
  private var refusal: ((StreamRefusal) -> Void)?
  let ladder: Ladder?
  private let tap: RecordingTap?
  private var wantKey: () -> Void = {}
  private var isBroken = false
  /// Which broadcast its next publisher goes on with, where it comes in time; nil for what there is
  /// of it here.
  var awaited: Broadcast?
  /// Whether another node of the cluster has it by now: viewers hear no more of it from here.
  private(set) var isElsewhere = false
  /// When its last publisher had gone.
  private(set) var waitingSince: MonotonicTime?
  /// Told, on any thread, how far viewers have it; nil where the publisher is no relay.
  private(set) var onProgress: (@Sendable (StreamLeasing.Progress) -> Void)?

  /// Whether somebody publishes, and hasn't been told to stop.
  var hasPublisher: Bool { refusal != nil && !isBroken }

  /// Makes a stream without a publisher.
  ///
  /// - Parameters:
  ///   - key: its name.
  ///   - state: where its numbers go on.
  ///   - configuration: how it is cut and kept.
  ///   - outlet: where its snapshots and its state go.
  ///   - memory: what all streams of the node share.
  ///   - recordings: where it is recorded; nil records nothing.
  ///   - now: a clock that never goes back.
  package init(
    _ key: StreamKey, state: WindowState, configuration: StreamConfiguration,
    outlet: StreamOutlet, memory: StreamMemory = StreamMemory(),
    recordings: RecordingDesk? = nil,
    now: @escaping () -> MediaTime = MediaTime.now
  ) {
    self.key = key
    self.memory = MemoryShare(memory)
    self.outlet = outlet
    self.configuration = configuration
    self.now = now
    relay = RelaySource(key, gopCacheBytes: configuration.gopCacheBytes)
    packager = StreamPackager(configuration: configuration.packager, state: state)
    renditions = Renditions(key, state: state, configuration: configuration, outlet: outlet)
    ladder = configuration.ladder.map { ladder in
      Ladder(ladder, reap: { outlet.reap($0) }, notice: { outlet.notice(key, $0) })
    }
    tap = recordings.map { RecordingTap(key, desk: $0) }
    packager.onPlacement = ladder.map { ladder in { ladder.take($0) } }
    if let tap, let ladder {
      tap.name = { [unowned ladder] in ladder.name($0) }
      ladder.demand.isRecorded = { tap.records($0) }
      ladder.onConfiguration = { tap.configure($0, $1) }
      ladder.onFrame = { tap.take($0, $1) }
    }
    ladder?.onRungs = { [unowned self] in addRungs($0) }
    ladder?.onSegment = { [unowned self] rung, segment in
      renditions.append(segment, of: .rung(rung))
      publish()
      outlet.changed(status(isLive: hasPublisher))
    }
  }

  // MARK: Publishers

  /// A new publisher's messages follow; a stream that was over goes on.
  ///
  /// - Parameters:
  ///   - loop: of the publisher, where the ladder's worker is to live; nil makes no rungs.
  ///   - plan: the publisher's, as a token names it.
  ///   - wantKey: called when a key is to be made, which `add` is then given on this loop.
  ///   - onProgress: told how far all viewers have the stream, for a publisher that is a relay:
  ///     what comes after that, it has to send again to another node.
  ///   - inherited: how far another node has brought it.
  ///   - refuse: called when what comes can't be used.
  package func begin(
    on loop: Loop? = nil, plan: String? = nil, wantKey: @escaping () -> Void = {},
    onProgress: (@Sendable (StreamLeasing.Progress) -> Void)? = nil,
    after inherited: StreamLeasing.Progress? = nil,
    refuse: @escaping (StreamRefusal) -> Void
  ) {
    self.onProgress = onProgress
    if let inherited, inherited.state.nextSequence == state.nextSequence {
      packager.takeOver(firstEnd: inherited.nextEnd)
    }
    tap?.begin(plan: plan)
    let plan = configuration.plans.number(ofPublisher: plan)
    renditions.begin(plan: plan)
    if let loop {
      ladder?.begin(on: loop) { [plans = configuration.plans] in
        plans.viewers(of: $0, publisher: plan)
      }
    }
    demuxer = TagDemuxer()
    relayClock.begin()
    renditions.reopen()
    refusal = refuse
    isBroken = false
    isElsewhere = false
    let broadcast = inherited?.broadcast ?? awaited
    awaited = nil
    meter.begin(
      broadcast.flatMap {
        $0.goesOn(configuration, now: StreamOutlet.wallClockMilliseconds) ? $0 : nil
      })
    outlet.changed(status(isLive: true))
    outlet.tell(.began, of: key)
    self.wantKey = wantKey
    renditions.askAgain()
    if renditions.takeWant() { wantKey() }
    checkBounds()
    if !memory.admits() { refuse(StreamRefusal(words: Self.tooLarge, isOfCodec: false)) }
    renditions.announce(describe)
  }

  /// Takes a key that viewers can have from now on.
  package func add(_ key: StreamKeyMaterial) {
    renditions.add(key)
    publish()
  }

  /// Somebody wants the stream to be recorded from now on.
  func record() { tap?.start() }

  /// The next segment gets another key.
  package func rotateKey() { renditions.rotateKey() }

  /// Takes a message.
  package func receive(_ kind: PublishSink.Kind, _ message: Message) {
    guard !isBroken else { return }
    meter.count(kind, message.payload.count)
    switch kind {
    case .data:
      if let ladder, message.isMetadata {
        ladder.sourceBitrate = StreamMetadata(message.payload.span)?.videoBitrate
      }
      relay(message.isMetadata ? .metadata : .data, message, at: nil)
    case .video: video(message)
    case .audio: audio(message)
    }
  }

  /// The turn is over: what players get leaves the loop.
  package func flush() {
    relay.flush()
    tap?.flush()
    account()
    if meter.isDue(.now) { outlet.changed(status(isLive: true)) }
  }

  /// The publisher has gone: the running segment is finished, and the next one follows a
  /// discontinuity.
  ///
  /// - Parameters:
  ///   - reason: why it has gone.
  ///   - done: called when nothing of the stream is on the loop any more: at once, or when its last
  ///     segment is made in every rung, seconds later.
  package func interrupt(
    _ reason: PublicationEnd = .other(""), done: @escaping () -> Void = {}
  ) {
    tap?.end(reason.words)
    // A key that is asked for now would come when nobody takes it.
    wantKey = {}
    // Where another server has it, this one's half of a segment is not to be announced: that server
    // makes all of it, under the same number.
    isElsewhere = reason == .elsewhere
    waitingSince = .now
    if let segment = packager.interrupt() { finished(segment) }
    refusal = nil
    onProgress = nil
    outlet.tell(.lost, of: key)
    outlet.changed(status(isLive: false))
    guard let ladder else { return done() }
    ladder.interrupt { [tap] in
      tap?.endRungs()
      done()
    }
  }

  /// The stream is over: its playlists say so.
  package func end() {
    renditions.end(now: now(), describe: describe)
    meter.end()
    outlet.tell(.over, of: key)
    outlet.ended(key, state)
  }

  /// Another process or node goes on with it: it is over here, though nobody is told so.
  func handOver() {
    tap?.forgetWishes()
    outlet.handedOver(key)
  }

  /// Lets go of segments that nobody may ask for any more, while no new ones come.
  package func expire() {
    renditions.expire(now: now(), describe: describe)
    if relieveMemory() { renditions.show(describe) }
  }

  /// Takes the stream away from viewers: nobody can want its end any more.
  package func forget() {
    outlet.tell(.gone, of: key)
    renditions.forget()
  }

  /// Its playlists as they are, for a program that goes on from them.
  func seed() -> ProgramSeed { renditions.seed(broadcast, isLive: hasPublisher, describe) }

  // MARK: Messages

  private func video(_ message: Message) {
    var role = RelayMessage.Role.video
    var time: MediaTime?
    do throws(TagError) {
      try demuxer.video(message.payload, timestamp: message.timestamp) { event in
        switch event {
        case .configuration: role = .videoHeader
        case .frame(let frame):
          time = frame.dts
          if frame.trackID == 0, frame.isKeyframe { role = .keyframe }
        default: break
        }
        take(event)
      }
    } catch {
      return broken(error)
    }
    relay(role, message, at: time)
  }

  private func audio(_ message: Message) {
    var role = RelayMessage.Role.audio
    var time: MediaTime?
    do throws(TagError) {
      try demuxer.audio(message.payload, timestamp: message.timestamp) { event in
        switch event {
        case .configuration: role = .audioHeader
        case .frame(let frame): time = frame.dts
        default: break
        }
        take(event)
      }
    } catch {
      return broken(error)
    }
    if !message.payload.isEmpty { relay(role, message, at: time) }
  }

  /// Takes what a message held; the demuxer is in the middle of it and is not to be asked.
  private func take(_ event: MediaEvent) {
    switch event {
    case .configuration(let configuration):
      // Further tracks are for players alone.
      guard configuration.trackID == 0 else { return }
      guard StreamPackager.canPackage(configuration) else { return refuse(configuration.codec) }
      meter.configure(configuration)
      packager.configure(configuration)
    case .frame(let frame):
      // Codecs of Flash's days have no sequence header that could be refused before.
      guard frame.trackID != 0 || StreamPackager.canPackage(frame.codec) else {
        return refuse(frame.codec)
      }
      meter.saw(frame)
      for segment in packager.append(frame, date: StreamOutlet.wallClockMilliseconds) {
        finished(segment)
      }
      if packager.runningBytes > configuration.maximumSegmentBytes {
        refuse(
          "the encoder's clock stands still, or its bit rate is too high: a segment grew to "
            + "\(configuration.maximumSegmentBytes >> 20) MiB")
      }
    case .repaired(_, .steppedBack), .repaired(_, .jumped): packager.noteBreak()
    case .repaired, .sequenceEnd, .colour: break
    }
  }

  /// A message that can't be read is lost; a codec that nobody knows ends the publisher.
  private func broken(_ error: TagError) {
    meter.damaged += 1
    switch error {
    case .unknownCodec(let name):
      refuse(
        "\(name) is not a codec this server knows; set the encoder to H.264 and AAC",
        isOfCodec: true)
    case .configuration(let codec, _) where !StreamPackager.canPackage(codec): refuse(codec)
    case .configuration(let codec, _) where !meter.knows(codec.track):
      refuse(
        "the encoder's \(codec.rawValue) header can't be read; restart the encoder",
        isOfCodec: true)
    case .configuration, .truncated, .unknownPacketType: break
    }
  }

  private func refuse(_ codec: Codec) {
    let name = codec == .aac ? "this kind of aac" : codec.rawValue
    let wanted = codec.track == .video ? "H.264 video" : "AAC-LC audio"
    refuse("\(name) can't be sent to viewers yet; set the encoder to \(wanted)", isOfCodec: true)
  }

  func refuse(_ words: String, isOfCodec: Bool = false) {
    guard !isBroken else { return }
    isBroken = true
    refusal?(StreamRefusal(words: words, isOfCodec: isOfCodec))
  }

  /// Hands a message to players; `time` is its frame's, repaired, and nil for headers and data.
  private func relay(_ role: RelayMessage.Role, _ message: Message, at time: MediaTime?) {
    guard !isBroken else { return }
    tap?.take(role, message)
    var message = message
    message.timestamp = relayClock.stamp(message.timestamp, role, at: time)
    relay.append(RelayMessage(role, message))
  }

  // MARK: Viewers

  /// The source's next segment is there.
  private func finished(_ segment: Segment) {
    renditions.append(segment, of: .source)
    publish()
    if renditions.isStuck { refuse("no key could be made for this stream") }
    ladder?.finish(segment)
  }

  /// Brings to viewers what they can have by now.
  private func publish() {
    guard !isElsewhere else { return }
    let before = state
    var published: [(place: Renditions.Place, segment: Segment)] = []
    do throws(TLSError) {
      published = try renditions.publish(now: now(), describe: describe)
    } catch {
      refuse("a segment could not be encrypted: \(error)")
    }
    if renditions.takeWant() { wantKey() }
    guard !published.isEmpty else { return }
    outlet.tell(news(of: published), of: key)
    guard published.contains(where: { $0.place == .source }) else { return }
    for (place, segment) in published where place == .source && segment.isDiscontinuity {
      breaks.append(now())
    }
    checkBounds()
    if relieveMemory() { renditions.show(describe) }
    outlet.keep(key, state, began: broadcast.began)
    tellProgress(before)
    outlet.changed(status(isLive: true))
  }

  private func news(of published: [(place: Renditions.Place, segment: Segment)]) -> ProgramNews {
    .segments(
      published.compactMap { place, segment in
        renditions.name(of: place).map { ($0, segment) }
      }, offers: renditions.offers(describe))
  }

  /// What a rendition needs of a viewer.
  func describe(_ place: Renditions.Place) -> VariantInfo? {
    switch place {
    case .source: packager.variant
    case .rung(let rung):
      // Where there is no encoder to be had, the rung shows the source and is what the source is.
      ladder?.variant(rung, frameRate: packager.variant?.frameRate)
        ?? (ladder?.isPaused == true ? packager.variant : nil)
    }
  }

  private func addRungs(_ rungs: [Int]) {
    guard let ladder else { return }
    for rung in rungs {
      renditions.add(rung: rung, name: ladder.name(rung), interest: ladder.demand.interest(rung))
    }
  }

  /// Ends a publisher that no live window could hold, before it fills the memory or the processor;
  /// also one that comes after others which have filled it and gone.
  private func checkBounds() {
    if renditions.source.segmentCount > configuration.maximumSegments
      || renditions.keptBytes > configuration.maximumBytes
    {
      refuse("more comes than a live stream can be; send in real time (ffmpeg: -re)")
    }
    breaks.removeAll { $0 < now() - Self.breakPeriod }
    if breaks.count > Self.breaks {
      refuse("the encoder changes its settings or its clock all the time")
    }
  }
}
