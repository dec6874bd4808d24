package import Media

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
  /// How long the stream has been there.
  package var timeMilliseconds: Int64
  package var traffic: TrafficStatus
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
  /// Publisher and players over RTMP.
  package var clients: [ClientStatus]

  package init(
    wedding: String, camera: String = "main", state: State = .live,
    timeMilliseconds: Int64 = 0, traffic: TrafficStatus = TrafficStatus(),
    audioBitsPerSecond: UInt64 = 0, videoBitsPerSecond: UInt64 = 0,
    bitrateHistory: [UInt64] = [], historyStepMilliseconds: Int64 = 2_000, viewers: Int = 0,
    video: VideoStatus? = nil, audio: AudioStatus? = nil, playlist: PlaylistStatus? = nil,
    clients: [ClientStatus] = []
  ) {
    self.wedding = wedding
    self.camera = camera
    self.state = state
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
    self.clients = clients
  }

  /// The name in `/stat`: the wedding, with the camera where it isn't the main one.
  package var name: String { camera == "main" ? wedding : "\(wedding)/\(camera)" }

  enum CodingKeys: String, CodingKey {
    case wedding, camera, state
    case timeMilliseconds = "time_ms"
    case traffic
    case audioBitsPerSecond = "bw_audio"
    case videoBitsPerSecond = "bw_video"
    case bitrateHistory = "bw_history"
    case historyStepMilliseconds = "bw_history_step_ms"
    case viewers, video, audio, playlist, clients
  }
}

/// A stream's picture.
package struct VideoStatus: Codable, Equatable, Sendable {
  package var codec: Codec
  package var width: Int
  package var height: Int
  /// Frames a second; 0 while unknown.
  package var frameRate: Double
  /// Such as `High`; empty where the codec has none.
  package var profile: String
  /// Such as 3.1; 0 where the codec has none.
  package var level: Double
  /// The constraint flags of H.264's profile.
  package var compatibility: UInt8

  package init(
    codec: Codec, width: Int, height: Int, frameRate: Double = 0, profile: String = "",
    level: Double = 0, compatibility: UInt8 = 0
  ) {
    self.codec = codec
    self.width = width
    self.height = height
    self.frameRate = frameRate
    self.profile = profile
    self.level = level
    self.compatibility = compatibility
  }

  enum CodingKeys: String, CodingKey {
    case codec, width, height
    case frameRate = "frame_rate"
    case profile, level
    case compatibility = "compat"
  }
}

/// A stream's sound.
package struct AudioStatus: Codable, Equatable, Sendable {
  package var codec: Codec
  package var profile: String
  package var channels: Int
  package var sampleRate: Int

  package init(codec: Codec, profile: String = "", channels: Int, sampleRate: Int) {
    self.codec = codec
    self.profile = profile
    self.channels = channels
    self.sampleRate = sampleRate
  }

  enum CodingKeys: String, CodingKey {
    case codec, profile, channels
    case sampleRate = "sample_rate"
  }
}

/// A stream's live window.
package struct PlaylistStatus: Codable, Equatable, Sendable {
  package var mediaSequence: UInt64
  package var segments: Int
  package var discontinuities: UInt64
  package var memoryBytes: Int

  package init(
    mediaSequence: UInt64, segments: Int, discontinuities: UInt64 = 0, memoryBytes: Int = 0
  ) {
    self.mediaSequence = mediaSequence
    self.segments = segments
    self.discontinuities = discontinuities
    self.memoryBytes = memoryBytes
  }

  enum CodingKeys: String, CodingKey {
    case mediaSequence = "media_sequence"
    case segments, discontinuities
    case memoryBytes = "memory_bytes"
  }
}

/// A client of a stream over RTMP.
package struct ClientStatus: Codable, Equatable, Sendable {
  package var id: UInt64
  package var address: String
  package var timeMilliseconds: Int64
  package var isPublishing: Bool
  package var isActive: Bool
  package var isSecure: Bool
  package var flashVersion: String
  package var pageURL: String
  package var swfURL: String
  /// Frames that were left out because the client took them too slowly.
  package var dropped: UInt64
  /// How far sound and picture are apart.
  package var avSyncMilliseconds: Int64
  package var timestampMilliseconds: Int64

  package init(
    id: UInt64, address: String, timeMilliseconds: Int64 = 0, isPublishing: Bool = false,
    isActive: Bool = true, isSecure: Bool = false, flashVersion: String = "",
    pageURL: String = "", swfURL: String = "", dropped: UInt64 = 0,
    avSyncMilliseconds: Int64 = 0, timestampMilliseconds: Int64 = 0
  ) {
    self.id = id
    self.address = address
    self.timeMilliseconds = timeMilliseconds
    self.isPublishing = isPublishing
    self.isActive = isActive
    self.isSecure = isSecure
    self.flashVersion = flashVersion
    self.pageURL = pageURL
    self.swfURL = swfURL
    self.dropped = dropped
    self.avSyncMilliseconds = avSyncMilliseconds
    self.timestampMilliseconds = timestampMilliseconds
  }

  enum CodingKeys: String, CodingKey {
    case id, address
    case timeMilliseconds = "time_ms"
    case isPublishing = "publishing"
    case isActive = "active"
    case isSecure = "secure"
    case flashVersion = "flashver"
    case pageURL = "page_url"
    case swfURL = "swf_url"
    case dropped
    case avSyncMilliseconds = "avsync_ms"
    case timestampMilliseconds = "timestamp_ms"
  }
}
