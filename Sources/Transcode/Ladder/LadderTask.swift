import Media

/// A picture that several threads read and none changes.
final class LadderPicture: @unchecked Sendable {
  // Sendable: the frame is never written to once it is here; libav counts its owners atomically.
  let frame: MediaFrame
  let time: MediaTime

  init(_ frame: consuming MediaFrame, at time: MediaTime) {
    self.frame = frame
    self.time = time
  }
}

/// What a decoder configuration says of the pictures to come.
struct LadderSource: Equatable, Sendable {
  var codec: Codec
  var record: [UInt8]
  /// Nil where the record doesn't say.
  var rate: FrameRate?

  /// The size of the pictures announced and the shape of their pixels; nil if it can't be read.
  private var announced: (size: PictureSize, aspect: (width: Int, height: Int))? {
    switch codec {
    case .h264:
      (try? AVCDecoderConfiguration(record.span))?.picture.map { picture in
        (
          PictureSize(width: picture.width, height: picture.height),
          (picture.sampleAspect.width, picture.sampleAspect.height)
        )
      }
    case .h265: (try? HEVCDecoderConfiguration(record.span))?.size.map { ($0, (1, 1)) }
    default: nil
    }
  }

  var size: PictureSize? { announced?.size }

  /// The plan for the pictures announced.
  func plan(_ rungs: [LadderRung]) -> LadderPlan? {
    announced.map { LadderPlan(source: $0.size, pixelAspect: $0.aspect, rungs: rungs) }
  }
}

/// What the thread that decodes pictures is given, in the order in which it came.
enum DecoderTask: Sendable {
  case source(LadderSource)
  case packet(Frame, isCut: Bool)
  /// A segment starts, though not with a picture of its own.
  case cut(MediaTime)
  case wanted(UInt32)
  /// Nothing comes for a while; what came is encoded.
  case rest
  case drain(LadderDrain)

  /// What it costs to keep it, in bytes.
  var cost: Int {
    if case .packet(let frame, _) = self { return frame.keptBytes }
    return 128
  }
}

/// What the thread that scales pictures is given.
enum CascadeTask: Sendable {
  case source(LadderSource)
  case cut(MediaTime)
  case picture(LadderPicture)
  case wanted(UInt32)
  /// Nothing comes for a while; what came is encoded.
  case rest
  case drain(LadderDrain)
}

/// What a rung's thread is given.
enum RungTask: Sendable {
  /// The next picture is the first of a new encoder; the one before is emptied.
  case open(VideoSettings)
  case picture(LadderPicture, isCut: Bool)
  /// The encoder is emptied, and none follows for now.
  case close
  case drain(LadderDrain)
}

/// What the thread of the sound is given.
enum SoundTask: Sendable {
  case source(codec: Codec, record: [UInt8])
  /// What the pictures are that the sound is heard with.
  case pictures(LadderSource)
  case packet(Frame)
  case rest
  case drain(LadderDrain)

  /// What it costs to keep it, in bytes.
  var cost: Int {
    if case .packet(let frame) = self { return frame.keptBytes }
    return 128
  }
}
