/// Recordings, as the API starts, stops, shows and deletes them: a node's, or a whole cluster's.
package protocol RecordingDirectory: Sendable {
  /// Records a stream from now on, or from when it begins.
  ///
  /// - Returns: what is recorded of it, one for each quality; nothing where it isn't live.
  func start(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo]

  /// Whether somebody has such a stream, or has had it, as far as is known besides the cameras
  /// that were added.
  func isThere(wedding: String, camera: String) async -> Bool

  /// Ends what is recorded of a stream; that is processed then. One that isn't live is not recorded
  /// when it begins.
  ///
  /// - Returns: what was recorded.
  /// - Throws: 404 where nothing is recorded of it, nor was to be.
  func stop(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo]

  /// Has a recording that is over, failed or waits processed now.
  ///
  /// - Throws: 404 where there is none of that name.
  func complete(_ recording: String) async throws(APIError) -> RecordingInfo

  /// A recording.
  ///
  /// - Throws: 404 where there is none of that name.
  func recording(_ recording: String) async throws(APIError) -> RecordingInfo

  /// All recordings of a wedding, oldest first.
  func recordings(ofWedding wedding: String) async throws(APIError) -> [RecordingInfo]

  /// The same, and whether these are all that there are.
  func list(ofWedding wedding: String) async throws(APIError) -> RecordingList

  /// Deletes a recording, here and where it was uploaded to.
  ///
  /// - Returns: nil once it is gone; else why the storage still has it, if anything is wrong.
  /// - Throws: 404 where there is none of that name, 409 while it is recorded.
  func delete(_ recording: String) async throws(APIError) -> RecordingRemoval
}

extension RecordingDirectory {
  /// A node by itself knows its cameras, those that are on the air among them.
  package func isThere(wedding: String, camera: String) async -> Bool { false }

  /// What a node knows of its own recordings is all there is.
  package func list(ofWedding wedding: String) async throws(APIError) -> RecordingList {
    RecordingList(recordings: try await recordings(ofWedding: wedding))
  }
}

/// A wedding's recordings, as far as they are known.
package struct RecordingList: Sendable, Equatable {
  /// Oldest first.
  package var recordings: [RecordingInfo]
  /// Why some may be missing, or otherwise by now; nil where these are all there are.
  package var doubt: String?

  package init(recordings: [RecordingInfo], doubt: String? = nil) {
    self.recordings = recordings
    self.doubt = doubt
  }
}

/// What became of a recording that was to be deleted.
package enum RecordingRemoval: Sendable, Equatable {
  case deleted
  /// The storage has not deleted it yet; why, where something is wrong.
  case underWay(String?)
}

/// A recording, as the API shows it.
package struct RecordingInfo: Codable, Sendable, Equatable {
  package struct Video: Codable, Sendable, Equatable {
    package var codec: String
    package var width: Int
    package var height: Int
    package var frameRate: Double
    package var bitrate: Int

    package init(codec: String, width: Int, height: Int, frameRate: Double, bitrate: Int) {
      self.codec = codec
      self.width = width
      self.height = height
      self.frameRate = frameRate
      self.bitrate = bitrate
    }
  }

  package struct Audio: Codable, Sendable, Equatable {
    package var codec: String
    package var sampleRate: Int
    package var channels: Int
    package var bitrate: Int

    package init(codec: String, sampleRate: Int, channels: Int, bitrate: Int) {
      self.codec = codec
      self.sampleRate = sampleRate
      self.channels = channels
      self.bitrate = bitrate
    }
  }

  /// Where something is missing, in seconds.
  package struct Gap: Codable, Sendable, Equatable {
    package var at: Double
    package var seconds: Double?
    package var reason: String

    package init(at: Double, seconds: Double?, reason: String) {
      self.at = at
      self.seconds = seconds
      self.reason = reason
    }
  }

  package var recordingId: String
  package var weddingId: String
  package var cameraId: String
  package var quality: String
  /// `recording`, `processing`, `completed`, `failed` or `deleting`.
  package var state: String
  /// Seconds since 1970.
  package var startedAt: Int64
  package var endedAt: Int64?
  /// In seconds.
  package var duration: Double
  /// Of the movie, or of what was received while there is none; in bytes.
  package var fileSize: Int64
  /// Where its movie is, once there is one.
  package var cdnUrl: String?
  /// The playlist to watch it with, and the pictures to find a place in it.
  package var playbackUrl: String?
  package var thumbnails: [String] = []
  package var spriteUrl: String?
  package var spriteIndexUrl: String?
  package var video: Video?
  package var audio: Audio?
  package var gaps: [Gap] = []
  /// Whether the node that has it can be reached now; nil where there is no cluster.
  package var reachable: Bool?

  // For services alone.

  /// The node that has it; nil where there is no cluster.
  package var node: String?
  /// How many files it was received in.
  package var parts: Int?
  /// Why it ended, waits or failed: a stable word, and words for a person.
  package var code: String?
  package var reason: String?
  /// What is being done with it, and how far that has come: 0...1.
  package var step: String?
  package var progress: Double?
  /// How often that has failed, why it did last, and when it is tried again.
  package var attempts: Int?
  package var error: String?
  package var retryAt: Int64?
  /// What could not be taken from what was received.
  package var leftOut: [String]?

  package init(
    recordingId: String, weddingId: String, cameraId: String, quality: String, state: String,
    startedAt: Int64, endedAt: Int64?, duration: Double, fileSize: Int64
  ) {
    self.recordingId = recordingId
    self.weddingId = weddingId
    self.cameraId = cameraId
    self.quality = quality
    self.state = state
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.duration = duration
    self.fileSize = fileSize
  }

  /// As viewers see it: what there is to watch, and not how it is kept.
  var forViewers: RecordingInfo {
    var info = self
    info.node = nil
    info.parts = nil
    info.code = nil
    info.reason = nil
    info.step = nil
    info.progress = nil
    info.attempts = nil
    info.error = nil
    info.retryAt = nil
    info.leftOut = nil
    return info
  }
}
