import EventLoop
import HLS
import Ingest
import Media

/// What a stream's status is made from: bytes, rates and how they went lately.
struct StreamMeter {
  /// How often the bit rate is noted.
  private static let step = Duration.seconds(2)
  /// How many of the last ones are kept.
  private static let historyLength = 90

  private let startedAt = MonotonicTime.now
  /// When its broadcast went on the air, since 1970.
  private(set) var startedAtMilliseconds = StreamOutlet.wallClockMilliseconds
  private var isOver = false
  private var lastStep = MonotonicTime.now
  private var bytes: UInt64 = 0
  private var stepVideo: UInt64 = 0
  private var stepAudio: UInt64 = 0
  private var stepBytes: UInt64 = 0
  private var videoRate: UInt64 = 0
  private var audioRate: UInt64 = 0
  private var rate: UInt64 = 0
  private var history: [UInt64] = []
  private var lastVideo = MediaTime.zero
  private var lastAudio = MediaTime.zero
  private var video: TrackConfiguration?
  private var audio: TrackConfiguration?
  /// Messages that could not be read.
  var damaged: UInt64 = 0

  /// A new publisher: the sound and the picture of the last one say nothing about its own.
  ///
  /// - Parameter broadcast: which it goes on with elsewhere; nil for what there is of it here.
  mutating func begin(_ broadcast: Broadcast? = nil) {
    if isOver {
      startedAtMilliseconds = StreamOutlet.wallClockMilliseconds
    } else if let broadcast {
      startedAtMilliseconds = broadcast.began
    }
    isOver = false
    video = nil
    audio = nil
    lastVideo = .zero
    lastAudio = .zero
  }

  /// Who publishes it next begins another broadcast.
  mutating func end() { isOver = true }

  /// Remembers what a track is coded as.
  mutating func configure(_ configuration: TrackConfiguration) {
    guard configuration.trackID == 0 else { return }
    switch configuration.track {
    case .video: video = configuration
    case .audio: audio = configuration
    }
  }

  /// Whether a track's header has come.
  func knows(_ track: Track) -> Bool {
    switch track {
    case .video: video != nil
    case .audio: audio != nil
    }
  }

  mutating func count(_ kind: PublishSink.Kind, _ count: Int) {
    bytes &+= UInt64(count)
    stepBytes &+= UInt64(count)
    switch kind {
    case .video: stepVideo &+= UInt64(count)
    case .audio: stepAudio &+= UInt64(count)
    case .data: break
    }
  }

  mutating func saw(_ frame: Frame) {
    switch frame.track {
    case .video: lastVideo = frame.dts
    case .audio: lastAudio = frame.dts
    }
  }

  /// Whether a step is over; the rates are then those of the step.
  mutating func isDue(_ now: MonotonicTime) -> Bool {
    let elapsed = now - lastStep
    guard elapsed >= Self.step else { return false }
    let milliseconds = UInt64(max(1, elapsed.nanoseconds / 1_000_000))
    rate = stepBytes * 8_000 / milliseconds
    videoRate = stepVideo * 8_000 / milliseconds
    audioRate = stepAudio * 8_000 / milliseconds
    stepBytes = 0
    stepVideo = 0
    stepAudio = 0
    lastStep = now
    history.append(rate)
    if history.count > Self.historyLength { history.removeFirst() }
    return true
  }

  func status(
    _ key: StreamKey, state: StreamStatus.State,
    statistics: PackagerStatistics, playlist: PlaylistStatus
  ) -> StreamStatus {
    let isLive = state == .live
    var status = StreamStatus(
      wedding: key.wedding, camera: key.camera, state: state,
      startedAtMilliseconds: startedAtMilliseconds,
      timeMilliseconds: (MonotonicTime.now - startedAt).nanoseconds / 1_000_000,
      traffic: TrafficStatus(bytesIn: bytes, bitsInPerSecond: isLive ? rate : 0),
      audioBitsPerSecond: isLive ? audioRate : 0, videoBitsPerSecond: isLive ? videoRate : 0,
      bitrateHistory: history,
      historyStepMilliseconds: Self.step.nanoseconds / 1_000_000, playlist: playlist)
    if let video {
      status.video = VideoStatus(
        codec: video.codec, width: video.size?.width ?? 0, height: video.size?.height ?? 0,
        frameRate: statistics.lastFrameRate > 0
          ? statistics.lastFrameRate : video.frameRate ?? 0,
        profile: video.profileName)
      if case .avc(let avc) = video.details {
        status.video?.level = Double(avc.level) / 10
        status.video?.compatibility = avc.constraints
      }
    }
    if let audio {
      status.audio = AudioStatus(
        codec: audio.codec, profile: audio.profileName, channels: audio.channels ?? 0,
        sampleRate: audio.sampleRate ?? 0)
    }
    return status
  }
}
