/// Which kind of media a frame, a tag or a codec carries.
package enum Track: UInt8, Sendable, Hashable, Codable, CaseIterable {
  case video
  case audio
}

/// A codec by its common name; the raw value is what logs, the API and `/stat` show.
package enum Codec: String, Sendable, Hashable, Codable, CaseIterable {
  case h264, h265, vvc, av1, vp9, vp8
  case aac, mp3, opus, ac3, eac3, flac
  /// Codecs of Flash's days: named so that they can be refused by name.
  case h263, screenVideo, vp6, pcm, adpcm, nellymoser, speex, g711

  /// The kind of media that it codes.
  package var track: Track {
    switch self {
    case .h264, .h265, .vvc, .av1, .vp9, .vp8, .h263, .screenVideo, .vp6: .video
    case .aac, .mp3, .opus, .ac3, .eac3, .flac, .pcm, .adpcm, .nellymoser, .speex, .g711: .audio
    }
  }

  /// The four characters that E-RTMP names it by; nil for codecs that only legacy tags carry.
  package var fourCC: FourCC? {
    switch self {
    case .h264: "avc1"
    case .h265: "hvc1"
    case .vvc: "vvc1"
    case .av1: "av01"
    case .vp9: "vp09"
    case .vp8: "vp08"
    case .aac: "mp4a"
    case .mp3: ".mp3"
    case .opus: "Opus"
    case .ac3: "ac-3"
    case .eac3: "ec-3"
    case .flac: "fLaC"
    case .h263, .screenVideo, .vp6, .pcm, .adpcm, .nellymoser, .speex, .g711: nil
    }
  }

  /// The codec that E-RTMP means by four characters; nil for those it doesn't know.
  package init?(fourCC: FourCC) {
    guard let codec = Self.allCases.first(where: { $0.fourCC == fourCC }) else { return nil }
    self = codec
  }
}

/// Four ASCII characters as one big-endian number, such as `avc1`.
package struct FourCC: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  package var value: UInt32

  @inlinable package init(_ value: UInt32) { self.value = value }

  package init(stringLiteral text: StaticString) {
    self.init(String(describing: text))
  }

  /// The first four UTF-8 bytes of a text, filled with spaces.
  package init(_ text: String) {
    var value: UInt32 = 0
    var bytes = text.utf8.makeIterator()
    for _ in 0..<4 { value = value << 8 | UInt32(bytes.next() ?? 0x20) }
    self.value = value
  }

  /// The characters, with `?` for those that can't be printed.
  package var description: String {
    var text = ""
    for shift in [24, 16, 8, 0] as [UInt32] {
      let byte = UInt8(truncatingIfNeeded: value >> shift)
      text.unicodeScalars.append(
        (0x20..<0x7F).contains(byte) ? Unicode.Scalar(byte) : "?")
    }
    return text
  }
}
