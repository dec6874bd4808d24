package import Media

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
