import Bytes
package import Media

/// What a transcode worker tells its node.
package enum LadderEvent: LadderMessage {
  /// Which of its streams a worker's frame belongs to.
  package enum Stream: Equatable, Hashable, Sendable {
    /// The pictures of a rung, by its place in the job.
    case rung(Int)
    /// The sound at a bitrate, by its place in `LadderJob.audioBitrates`.
    case audio(Int)

    package var track: Track {
      switch self {
      case .rung: .video
      case .audio: .audio
      }
    }
  }

  /// How to decode a stream's frames that follow: `avcC`, `hvcC`, `av1C` or an AudioSpecificConfig.
  ///
  /// Precedes the first frame, and comes again before a cut if it changes.
  case configuration(Stream, codec: Codec, record: [UInt8])
  /// An encoded frame: whether a segment starts with it.
  ///
  /// Pictures are length-prefixed NAL units (four bytes) for H.264 and H.265, OBUs for AV1; sound
  /// is raw AAC. Times are the source's; `dts` grows within a stream, and no `pts` is before its
  /// `dts`.
  case frame(Stream, Frame, isCut: Bool)
  /// All that was given before `LadderCommand.drain(id)` has been sent.
  case drained(UInt32)
  /// How the worker does: once a second, and at each step.
  case report(LadderReport)
  /// Why the worker ends: a code of `TranscodeError` and a sentence.
  case failed(TranscodeError)

  private enum Kind {
    static let videoConfiguration: UInt8 = 1
    static let audioConfiguration: UInt8 = 2
    static let frame: UInt8 = 3
    static let drained: UInt8 = 4
    static let report: UInt8 = 5
    static let failed: UInt8 = 6
  }

  package func append(to bytes: inout [UInt8]) {
    switch self {
    case .configuration(let stream, let codec, let record):
      let kind = stream.track == .video ? Kind.videoConfiguration : Kind.audioConfiguration
      bytes.appendMessage(kind: kind) { bytes in
        bytes.append(stream.index)
        bytes.append(codec)
        bytes += record
      }
    case .frame(let stream, let frame, let isCut):
      bytes.appendMessage(kind: Kind.frame) { bytes in
        bytes.append(stream.track.rawValue)
        bytes.append(stream.index)
        bytes.append(frame, isCut: isCut)
      }
    case .drained(let id):
      bytes.appendMessage(kind: Kind.drained) { $0.append(u32: id) }
    case .report(let report):
      bytes.appendMessage(kind: Kind.report) { report.append(to: &$0) }
    case .failed(let error):
      bytes.appendMessage(kind: Kind.failed) { bytes in
        bytes.append(error.code.rawValue)
        bytes += error.message.utf8.prefix(2_000)
      }
    }
  }

  package init(
    kind: UInt8, _ bytes: borrowing Span<UInt8>, _ fields: inout LadderFields
  ) throws(LadderWireError) {
    switch kind {
    case Kind.videoConfiguration, Kind.audioConfiguration:
      let track: Track = kind == Kind.videoConfiguration ? .video : .audio
      let stream = try Stream(track, try fields.u8(bytes))
      let codec = try fields.codec(track, bytes)
      self = .configuration(stream, codec: codec, record: fields.rest(bytes))
    case Kind.frame:
      let track = try fields.track(bytes)
      let stream = try Stream(track, try fields.u8(bytes))
      let (frame, isCut) = try fields.frame(track, bytes)
      self = .frame(stream, frame, isCut: isCut)
    case Kind.drained: self = .drained(try fields.u32(bytes))
    case Kind.report: self = .report(try LadderReport(bytes, &fields))
    case Kind.failed:
      let number = try fields.u8(bytes)
      guard let code = TranscodeError.Code(rawValue: number) else {
        throw .invalid("failure \(number)")
      }
      let words = String(decoding: fields.rest(bytes), as: UTF8.self)
      self = .failed(TranscodeError(code, LibavLog.printable(words)))
    default: throw .invalid("kind \(kind)")
    }
  }
}

extension LadderEvent.Stream {
  fileprivate var index: UInt8 {
    switch self {
    case .rung(let index), .audio(let index): UInt8(clamping: index)
    }
  }

  fileprivate init(_ track: Track, _ index: UInt8) throws(LadderWireError) {
    guard index < LadderJob.maximumRungs else { throw .invalid("stream \(index)") }
    self = track == .video ? .rung(Int(index)) : .audio(Int(index))
  }
}
