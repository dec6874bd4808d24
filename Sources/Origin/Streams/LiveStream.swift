import EventLoop
package import HLS
package import Ingest
package import Media
package import RTMP

/// One live stream: a publisher's messages in, segments and playlists for viewers out, and the
/// same messages for RTMP players.
///
/// It outlives its publishers. At any time one owner alone uses it: the loop of the publisher that
/// has claimed it, or the registry while there is none.
package final class LiveStream {
  /// The only rendition that passes the publisher's own coding through.
  private static let rendition = Array("source".utf8)

  package let key: StreamKey
  package let relay: RelaySource
  private let outlet: StreamOutlet
  private let packager: StreamPackager
  private var window: LiveWindow
  private var demuxer = TagDemuxer()
  private var responses: [SegmentResponse] = []
  /// Added to a publisher's timestamps, so that players' clocks go on when the next one starts at 0.
  private var relayOffset: UInt32?
  private var lastRelayed: UInt32?
  private(set) var meter = StreamMeter()
  private var refusal: ((String) -> Void)?
  private var isBroken = false

  /// Makes a stream without a publisher.
  ///
  /// - Parameters:
  ///   - key: its name.
  ///   - state: where its numbers go on.
  ///   - configuration: how it is cut and kept.
  ///   - outlet: where its snapshots and its state go.
  package init(
    _ key: StreamKey, state: WindowState, configuration: StreamConfiguration,
    outlet: StreamOutlet
  ) {
    self.key = key
    self.outlet = outlet
    relay = RelaySource(key, gopCacheBytes: configuration.gopCacheBytes)
    packager = StreamPackager(configuration: configuration.packager, state: state)
    window = LiveWindow(configuration: configuration.liveWindow(), state: state)
  }

  // MARK: Publishers

  /// A new publisher's messages follow.
  ///
  /// - Parameter refuse: called when what comes can't be used, with words for the publisher.
  package func begin(refuse: @escaping (String) -> Void) {
    demuxer = TagDemuxer()
    relayOffset = nil
    refusal = refuse
    isBroken = false
    meter.begin()
    outlet.changed(status(isLive: true))
  }

  /// Takes a message.
  package func receive(_ kind: PublishSink.Kind, _ message: Message) {
    guard !isBroken else { return }
    meter.count(kind, message.payload.count)
    switch kind {
    case .data: relay(.metadata, message)
    case .video: video(message)
    case .audio: audio(message)
    }
  }

  /// The turn is over: what players get leaves the loop.
  package func flush() {
    relay.flush()
    if meter.isDue(.now) { outlet.changed(status(isLive: true)) }
  }

  /// The publisher has gone: the running segment is finished, and the next one follows a
  /// discontinuity.
  package func interrupt() {
    if let segment = packager.interrupt() { publish(segment) }
    refusal = nil
    outlet.changed(status(isLive: false))
  }

  /// The stream is over: its playlist says so.
  package func end() {
    let update = window.end(now: Self.clock)
    drop(update.expired)
    if let playlist = update.playlist { outlet.publish(snapshot(playlist)) }
    outlet.ended(key)
  }

  /// Lets go of segments that nobody may ask for any more, while no new ones come.
  package func expire() { drop(window.expire(now: Self.clock)) }

  // MARK: Messages

  private func video(_ message: Message) {
    var role = RelayMessage.Role.video
    do throws(TagError) {
      try demuxer.video(message.payload, timestamp: message.timestamp) { event in
        switch event {
        case .configuration: role = .videoHeader
        case .frame(let frame) where frame.trackID == 0 && frame.isKeyframe: role = .keyframe
        default: break
        }
        take(event)
      }
    } catch {
      broken(error)
    }
    relay(role, message)
  }

  private func audio(_ message: Message) {
    var role = RelayMessage.Role.audio
    do throws(TagError) {
      try demuxer.audio(message.payload, timestamp: message.timestamp) { event in
        if case .configuration = event { role = .audioHeader }
        take(event)
      }
    } catch {
      broken(error)
    }
    if !message.payload.isEmpty { relay(role, message) }
  }

  private func take(_ event: MediaEvent) {
    switch event {
    case .configuration(let configuration):
      guard StreamPackager.canPackage(configuration) else {
        return refuse(
          "\(configuration.codec.rawValue) can't be sent to viewers yet; set the encoder to "
            + (configuration.track == .video ? "H.264 video" : "AAC audio"))
      }
      meter.configure(configuration)
      packager.configure(configuration)
    case .frame(let frame):
      meter.saw(frame)
      for segment in packager.append(frame, date: StreamOutlet.wallClockMilliseconds) {
        publish(segment)
      }
    case .repaired(_, .steppedBack), .repaired(_, .jumped): packager.noteBreak()
    case .repaired, .sequenceEnd, .colour: break
    }
  }

  /// A message that can't be read is lost; a codec that nobody knows ends the publisher.
  private func broken(_ error: TagError) {
    meter.damaged += 1
    if case .unknownCodec(let name) = error {
      refuse("\(name) is not a codec this server knows; set the encoder to H.264 and AAC")
    }
  }

  private func refuse(_ words: String) {
    guard !isBroken else { return }
    isBroken = true
    refusal?(words)
  }

  private func relay(_ role: RelayMessage.Role, _ message: Message) {
    let offset = relayOffset ?? lastRelayed.map { $0 &+ 20 &- message.timestamp } ?? 0
    relayOffset = offset
    var message = message
    message.timestamp &+= offset
    lastRelayed = message.timestamp
    relay.append(RelayMessage(role, message))
  }

  // MARK: Viewers

  private func publish(_ segment: Segment) {
    let update = window.append(segment, now: Self.clock)
    drop(update.expired)
    responses.append(
      SegmentResponse(
        sequence: segment.sequence, name: Array(segment.name.utf8),
        byteCount: segment.bytes.count,
        response: outlet.response(segment)))
    guard let playlist = update.playlist else { return }
    outlet.publish(snapshot(playlist))
    outlet.keep(key, window.state)
    outlet.changed(status(isLive: true))
  }

  private func drop(_ expired: [Segment]) {
    guard !expired.isEmpty else { return }
    let gone = Set(expired.map(\.sequence))
    responses.removeAll { gone.contains($0.sequence) }
  }

  private func snapshot(_ playlist: MediaPlaylist) -> StreamSnapshot {
    let name = String(decoding: Self.rendition, as: UTF8.self)
    let info =
      packager.variant
      ?? VariantInfo(
        bandwidth: 0, averageBandwidth: 0, codecs: [], size: nil, frameRate: nil)
    // The program's playlist stands one folder up, so the addresses in it are absolute.
    let uri = "/hls/\(key.wedding)/\(key.camera)/\(name)/index.m3u8"
    let master = MasterPlaylist([MasterPlaylist.Variant(uri: uri, info: info)])
    let version = outlet.nextVersion()
    let half = max(1, playlist.targetDuration / 2)
    return StreamSnapshot(
      key: key, version: version, isOver: playlist.isEnded,
      master: PlaylistResponse(master.text, maximumAge: 2, tag: "m\(version)"),
      renditions: [
        RenditionSnapshot(
          name: Self.rendition,
          playlist: PlaylistResponse(
            playlist.text, maximumAge: 1, staleSeconds: half, tag: "p\(version)"),
          nextSequence: playlist.nextSequence, targetDuration: playlist.targetDuration,
          segments: responses)
      ])
  }

  // MARK: Status

  private func status(isLive: Bool) -> StreamStatus {
    meter.status(
      key, state: isLive ? .live : .waiting,
      statistics: packager.statistics,
      playlist: PlaylistStatus(
        mediaSequence: UInt64(window.playlist?.mediaSequence ?? 0),
        segments: window.segments.count,
        discontinuities: UInt64(window.state.discontinuitySequence),
        memoryBytes: responses.reduce(0) { $0 + $1.byteCount }))
  }

  private static var clock: MediaTime {
    MediaTime(milliseconds: Int64(MonotonicTime.now.nanoseconds / 1_000_000))
  }
}

/// A stream on its way between owners.
package final class LiveStreamBox: @unchecked Sendable {
  // The registry gives it to one claim at a time, and takes it back only when the loop that had it
  // has let go of it; so one thread alone touches the stream, and the hand-over orders them.
  package let stream: LiveStream

  package init(_ stream: LiveStream) { self.stream = stream }
}
