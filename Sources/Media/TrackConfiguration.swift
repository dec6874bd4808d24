import Bytes

/// What a sequence header says about a track: raw, and read as far as its codec is known.
package struct TrackConfiguration: Sendable {
  package var codec: Codec
  /// Which of several tracks of its kind; 0 is the main one.
  package var trackID: UInt8
  /// The configuration record as it came.
  package var record: [UInt8]
  package var details: Details

  /// The record, read.
  package enum Details: Sendable, Equatable {
    case avc(AVCDecoderConfiguration)
    case hevc(HEVCDecoderConfiguration)
    case aac(AudioSpecificConfig)
    /// Its name for playlists; channels and rate where the record says them cheaply.
    case named(String, channels: Int? = nil, sampleRate: Int? = nil)
  }

  /// Reads a record.
  ///
  /// - Throws: `.truncated` or `.invalid`, for H.264, H.265 and AAC, whose records must be whole.
  package init(codec: Codec, record: [UInt8], trackID: UInt8 = 0) throws(ConfigurationError) {
    self.codec = codec
    self.trackID = trackID
    self.record = record
    details =
      switch codec {
      case .h264: .avc(try AVCDecoderConfiguration(record.span))
      case .h265: .hevc(try HEVCDecoderConfiguration(record.span))
      case .aac: .aac(try AudioSpecificConfig(record.span))
      case .av1: .named(Self.av1(record))
      case .vp9: .named(Self.vp9(record))
      case .vp8: .named("vp08.00.10.08")
      case .vvc: .named("vvc1")
      case .opus: Self.opus(record)
      case .mp3: .named("mp4a.40.34")
      case .ac3: .named("ac-3")
      case .eac3: .named("ec-3")
      case .flac: .named("fLaC")
      default: .named(codec.rawValue)
      }
  }

  package var track: Track { codec.track }

  /// The codec's name in an `EXT-X-STREAM-INF` tag's `CODECS`.
  package var codecString: String {
    switch details {
    case .avc(let avc): avc.codecString
    case .hevc(let hevc): hevc.codecString
    case .aac(let aac): aac.codecString
    case .named(let name, _, _): name
    }
  }

  /// The profile's name as nginx-rtmp and others write it; empty where the record isn't read as
  /// far.
  package var profileName: String {
    switch details {
    case .avc(let avc): avc.profileName
    case .aac(let aac): aac.profileName
    case .hevc, .named: ""
    }
  }

  /// The picture's size, where the record says it.
  package var size: PictureSize? {
    switch details {
    case .avc(let avc): avc.picture.map { PictureSize(width: $0.width, height: $0.height) }
    case .hevc(let hevc): hevc.size
    default: nil
    }
  }

  /// Frames per second, where the record says it.
  package var frameRate: Double? {
    if case .avc(let avc) = details { avc.picture?.frameRate } else { nil }
  }

  /// Channels as heard.
  package var channels: Int? {
    switch details {
    case .aac(let aac): aac.hasPS && aac.channels == 1 ? 2 : aac.channels
    case .named(_, let channels, _): channels
    default: nil
    }
  }

  /// Samples per second as heard.
  package var sampleRate: Int? {
    switch details {
    case .aac(let aac): aac.extensionSampleRate ?? aac.sampleRate
    case .named(_, _, let rate): rate
    default: nil
    }
  }

  /// `av01.P.LLT.DD` from an `av1C` record.
  private static func av1(_ record: [UInt8]) -> String {
    guard record.count >= 4, record[0] == 0x81 else { return "av01" }
    let level = record[1] & 0x1F
    let tier = record[2] & 0x80 == 0 ? "M" : "H"
    let depth = record[2] & 0x40 == 0 ? "08" : record[2] & 0x20 == 0 ? "10" : "12"
    return "av01.\(record[1] >> 5).\(decimal2(level))\(tier).\(depth)"
  }

  /// `vp09.PP.LL.DD` from a `vpcC` record, with or without the version and flags of its MP4 box.
  private static func vp9(_ record: [UInt8]) -> String {
    let start = record.starts(with: [1, 0, 0, 0]) ? 4 : 0
    guard record.count >= start + 3 else { return "vp09" }
    let depth = record[start + 2] >> 4
    return "vp09.\(decimal2(record[start])).\(decimal2(record[start + 1])).\(decimal2(depth))"
  }

  /// Channels from an `OpusHead` identification header; Opus always plays at 48 kHz.
  private static func opus(_ record: [UInt8]) -> Details {
    let isHead = record.starts(with: "OpusHead".utf8) && record.count >= 19
    return .named("opus", channels: isHead ? Int(record[9]) : nil, sampleRate: 48_000)
  }

  private static func decimal2(_ value: UInt8) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

extension TrackConfiguration: Equatable {
  /// Whether a decoder can go on: the same record of the same codec.
  package static func == (a: Self, b: Self) -> Bool {
    a.codec == b.codec && a.trackID == b.trackID && a.record == b.record
  }
}
