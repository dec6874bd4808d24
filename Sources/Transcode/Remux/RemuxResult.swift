/// What a recording has become: kept as JSON in its row.
///
/// Files are named without their folder. Times are seconds from the start of the recording, whose
/// movies follow each other without a pause.
package struct RemuxResult: Codable, Equatable, Sendable {
  package var durationSeconds: Double
  /// One, as long as the publisher kept its codecs and sizes.
  package var movies: [Movie]
  package var thumbnails: [Thumbnail]
  /// Nil where there is no picture.
  package var sprite: Sprite?
  /// Where something is missing.
  package var gaps: [Gap]
  /// What could not be taken, in words with counts; empty when all is in the movies.
  package var leftOut: [String]

  /// Of all movies.
  package var bytes: Int { movies.reduce(0) { $0 + $1.bytes } }

  package init(
    durationSeconds: Double, movies: [Movie], thumbnails: [Thumbnail] = [], sprite: Sprite? = nil,
    gaps: [Gap] = [], leftOut: [String] = []
  ) {
    self.durationSeconds = durationSeconds
    self.movies = movies
    self.thumbnails = thumbnails
    self.sprite = sprite
    self.gaps = gaps
    self.leftOut = leftOut
  }

  /// An MP4 file whose index comes first.
  package struct Movie: Codable, Equatable, Sendable {
    /// The first is `recording.mp4`, the second `recording-2.mp4`.
    package var file: String
    package var bytes: Int
    package var durationSeconds: Double
    package var video: Video?
    package var audio: Audio?
    /// The same as fragments, for HLS; nil where none were asked for.
    package var playback: Playback?
  }

  package struct Video: Codable, Equatable, Sendable {
    /// As in `Codec`: `h264`.
    package var codec: String
    /// As in a playlist's `CODECS`.
    package var codecString: String
    package var width: Int
    package var height: Int
    /// Pictures a second, on the average.
    package var frameRate: Double
    package var frames: Int
    /// In bits a second, on the average.
    package var bitrate: Int
  }

  package struct Audio: Codable, Equatable, Sendable {
    package var codec: String
    package var codecString: String
    package var sampleRate: Int
    package var channels: Int
    package var bitrate: Int
  }

  /// A fragmented MP4 file and where its fragments lie: what a media playlist with byte ranges
  /// says.
  package struct Playback: Codable, Equatable, Sendable {
    /// The first is `hls.mp4`, the second `hls-2.mp4`.
    package var file: String
    package var bytes: Int
    /// The initialisation segment is that long, from the first byte on.
    package var headerBytes: Int
    /// In order, one right after the other.
    package var segments: [Segment]
  }

  package struct Segment: Codable, Equatable, Sendable {
    package var offset: Int
    package var bytes: Int
    package var seconds: Double
  }

  package struct Thumbnail: Codable, Equatable, Sendable {
    /// The first is `thumbnail-1.jpg`.
    package var file: String
    package var bytes: Int
    package var at: Double
    package var width: Int
    package var height: Int
  }

  /// Small pictures in one, and a WebVTT file that says which is of when.
  package struct Sprite: Codable, Equatable, Sendable {
    /// `sprite.jpg` and `sprite.vtt`.
    package var file: String
    package var index: String
    package var bytes: Int
    package var tiles: Int
    package var columns: Int
    package var tileWidth: Int
    package var tileHeight: Int
    package var intervalSeconds: Double
  }

  /// A place where the recording isn't what the publisher meant.
  package struct Gap: Codable, Equatable, Sendable {
    package enum Reason: String, Codable, Sendable {
      /// The publisher was away; that time is not in the movie.
      case reconnect
      /// Its clock leapt; the leap is not in the movie.
      case clock
      /// It sent nothing for that long; the movie has that time.
      case silence
      /// Bytes of the recording made no sense.
      case damage
    }

    package var at: Double
    /// Nil where nobody knows.
    package var seconds: Double?
    package var reason: Reason
  }
}
