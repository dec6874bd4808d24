package import Media

/// A stream's picture.
package struct VideoStatus: Codable, Equatable, Sendable {
  package var codec: Codec
  package var width: Int
  package var height: Int
  /// Frames a second; 0 while unknown.
  package var frameRate: Double
  /// Such as `High`; empty where it isn't known.
  package var profile: String
  /// Such as 3.1; 0 where it isn't known: only H.264's header is read for it.
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
