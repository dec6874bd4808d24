import Bytes
package import Media

/// What a node tells its transcode worker.
package enum LadderCommand: LadderMessage {
  /// How to decode the pictures that follow; comes again when it changes.
  ///
  /// - codec: `.h264`; `.h265` and others where the worker's libavcodec decodes them.
  /// - record: the decoder configuration record of MP4 (`avcC`, `hvcC` …).
  /// - rate: pictures per second, where it is known: a hint for the encoders' rate control.
  case videoConfiguration(codec: Codec, record: [UInt8], rate: FrameRate?)
  /// How to decode the sound that follows; comes again when it changes.
  ///
  /// - record: an AudioSpecificConfig for `.aac`; what libavcodec calls extradata for others.
  case audioConfiguration(codec: Codec, record: [UInt8])
  /// A source frame on the stream's own time line: whether a segment starts with it.
  case frame(Frame, isCut: Bool)
  /// The rungs that are wanted from the next cut on: bit n is rung n of the job.
  ///
  /// All are wanted until this is said.
  case wanted(UInt32)
  /// Encode and send everything given so far, say `LadderEvent.drained`, and begin anew.
  case drain(UInt32)

  private enum Kind {
    static let videoConfiguration: UInt8 = 1
    static let audioConfiguration: UInt8 = 2
    static let frame: UInt8 = 3
    static let wanted: UInt8 = 4
    static let drain: UInt8 = 5
  }

  package func append(to bytes: inout [UInt8]) {
    switch self {
    case .videoConfiguration(let codec, let record, let rate):
      bytes.appendMessage(kind: Kind.videoConfiguration) { bytes in
        bytes.append(codec)
        bytes.append(u32: UInt32(clamping: rate?.numerator ?? 0))
        bytes.append(u32: UInt32(clamping: rate?.denominator ?? 0))
        bytes += record
      }
    case .audioConfiguration(let codec, let record):
      bytes.appendMessage(kind: Kind.audioConfiguration) { bytes in
        bytes.append(codec)
        bytes += record
      }
    case .frame(let frame, let isCut):
      bytes.appendMessage(kind: Kind.frame) { bytes in
        bytes.append(frame.track.rawValue)
        bytes.append(frame, isCut: isCut)
      }
    case .wanted(let mask):
      bytes.appendMessage(kind: Kind.wanted) { $0.append(u32: mask) }
    case .drain(let id):
      bytes.appendMessage(kind: Kind.drain) { $0.append(u32: id) }
    }
  }

  package init(
    kind: UInt8, _ bytes: borrowing Span<UInt8>, _ fields: inout LadderFields
  ) throws(LadderWireError) {
    switch kind {
    case Kind.videoConfiguration:
      let codec = try fields.codec(.video, bytes)
      let numerator = Int64(try fields.u32(bytes))
      let denominator = Int64(try fields.u32(bytes))
      let rate =
        numerator > 0 && denominator > 0 ? FrameRate(numerator, per: denominator) : nil
      self = .videoConfiguration(codec: codec, record: fields.rest(bytes), rate: rate)
    case Kind.audioConfiguration:
      let codec = try fields.codec(.audio, bytes)
      self = .audioConfiguration(codec: codec, record: fields.rest(bytes))
    case Kind.frame:
      let (frame, isCut) = try fields.frame(try fields.track(bytes), bytes)
      self = .frame(frame, isCut: isCut)
    case Kind.wanted: self = .wanted(try fields.u32(bytes))
    case Kind.drain: self = .drain(try fields.u32(bytes))
    default: throw .invalid("kind \(kind)")
    }
  }
}
