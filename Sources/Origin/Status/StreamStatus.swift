package import ControlAPI
package import EventLoop

/// One stream of a node at one moment.
package struct StreamStatus: Codable, Equatable, Sendable {
  package enum State: String, Codable, Sendable {
    /// A publisher is there.
    case live
    /// It is gone, and may come back into the same playlist.
    case waiting
    case ended
  }

  package var wedding: String
  package var camera: String
  package var state: State
  /// Since when it waits for its publisher; nil also where another node has it.
  ///
  /// By this process' clock: nobody else is told.
  package var waitingSince: MonotonicTime?
  /// Whether its wedding is locked, so that only tokens made for that open it.
  package var isLocked = false
  /// When it went on the air, since 1970; the same until its broadcast ends, also over other nodes.
  package var startedAtMilliseconds: Int64
  /// How long the stream has been there; no longer counted once it has no publisher.
  package var timeMilliseconds: Int64
  /// Received from its publisher, and sent of it, as far as that is counted by itself.
  package var traffic: TrafficStatus
  /// What was sent, by receivers and renditions.
  package var sent: [SentStatus]
  package var audioBitsPerSecond: UInt64
  package var videoBitsPerSecond: UInt64
  /// The bit rate received, newest last, one value for each `historyStepMilliseconds`.
  package var bitrateHistory: [UInt64]
  package var historyStepMilliseconds: Int64
  /// Those who watch over HLS.
  package var viewers: Int
  package var video: VideoStatus?
  package var audio: AudioStatus?
  package var playlist: PlaylistStatus?
  /// The qualities that it can be watched in, the source first.
  package var renditions: [StreamQuality]
  /// How those below the source are made; nil where there are none.
  package var ladder: LadderStatus?
  /// Publisher and players over RTMP.
  package var clients: [ClientStatus]

  package init(
    wedding: String, camera: String = "main", state: State = .live,
    startedAtMilliseconds: Int64 = 0, timeMilliseconds: Int64 = 0,
    traffic: TrafficStatus = TrafficStatus(),
    audioBitsPerSecond: UInt64 = 0, videoBitsPerSecond: UInt64 = 0,
    bitrateHistory: [UInt64] = [], historyStepMilliseconds: Int64 = 2_000, viewers: Int = 0,
    video: VideoStatus? = nil, audio: AudioStatus? = nil, playlist: PlaylistStatus? = nil,
    renditions: [StreamQuality] = [], ladder: LadderStatus? = nil, clients: [ClientStatus] = [],
    sent: [SentStatus] = []
  ) {
    self.sent = sent
    self.wedding = wedding
    self.camera = camera
    self.state = state
    self.startedAtMilliseconds = startedAtMilliseconds
    self.timeMilliseconds = timeMilliseconds
    self.traffic = traffic
    self.audioBitsPerSecond = audioBitsPerSecond
    self.videoBitsPerSecond = videoBitsPerSecond
    self.bitrateHistory = bitrateHistory
    self.historyStepMilliseconds = historyStepMilliseconds
    self.viewers = viewers
    self.video = video
    self.audio = audio
    self.playlist = playlist
    self.renditions = renditions
    self.ladder = ladder
    self.clients = clients
  }

  /// The name in `/stat`: the wedding, with the camera where it isn't the main one.
  package var name: String { camera == "main" ? wedding : "\(wedding)/\(camera)" }

  enum CodingKeys: String, CodingKey {
    case wedding, camera, state
    case isLocked = "locked"
    case startedAtMilliseconds = "started_at_ms"
    case timeMilliseconds = "time_ms"
    case traffic, sent
    case audioBitsPerSecond = "bw_audio"
    case videoBitsPerSecond = "bw_video"
    case bitrateHistory = "bw_history"
    case historyStepMilliseconds = "bw_history_step_ms"
    case viewers, video, audio, playlist, renditions, ladder, clients
  }
}
