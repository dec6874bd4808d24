import Ingest
import RTMP

/// An imagined encoder: the messages that it would send, always the same ones.
struct Encoder {
  typealias Piece = (kind: PublishSink.Kind, message: Message)

  /// On its own clock, in milliseconds: when its first picture is.
  var base: UInt32 = 0
  var hasVideo = true
  var hasAudio = true
  /// Pictures from one keyframe to the next; there are 25 a second.
  var group = 25
  var pictureBytes = 400

  static let avc = bytes(
    "0142c00dffe100176742c00dda05067e7c0440000003004000000f23c50aa801000468ce0fc8")
  static let hevc = bytes("9068766331") + [UInt8](repeating: 1, count: 23)
  /// AAC-LC, 48 kHz, two channels.
  static let aac: [UInt8] = [0x11, 0x90]

  static func video(_ timestamp: UInt32, _ payload: [UInt8]) -> Piece {
    (.video, Message(type: .video, streamID: 1, timestamp: timestamp, payload: payload))
  }

  static func audio(_ timestamp: UInt32, _ payload: [UInt8]) -> Piece {
    (.audio, Message(type: .audio, streamID: 1, timestamp: timestamp, payload: payload))
  }

  static func data(_ name: String, _ timestamp: UInt32 = 0) -> Piece {
    let payload = [2, 0, UInt8(name.utf8.count)] + Array(name.utf8) + [5]
    return (.data, Message(type: .data, streamID: 1, timestamp: timestamp, payload: payload))
  }

  static func picture(_ timestamp: UInt32, isKeyframe: Bool, bytes count: Int = 400) -> Piece {
    let unit = [isKeyframe ? 0x65 : 0x41] + [UInt8](repeating: 0x5A, count: count)
    let length = [0, 0, UInt8(unit.count >> 8), UInt8(unit.count & 0xFF)]
    return video(timestamp, [isKeyframe ? 0x17 : 0x27, 1, 0, 0, 0] + length + unit)
  }

  static func sound(_ timestamp: UInt32) -> Piece {
    audio(timestamp, [0xAF, 1] + [UInt8](repeating: 0x21, count: 90))
  }

  /// What comes first.
  var headers: [Piece] {
    var pieces = [Self.data("onMetaData")]
    if hasVideo { pieces.append(Self.video(0, [0x17, 0, 0, 0, 0] + Self.avc)) }
    if hasAudio { pieces.append(Self.audio(0, [0xAF, 0] + Self.aac)) }
    return pieces
  }

  /// The messages of some seconds, in the order in which they are sent.
  func messages(from start: Int = 0, seconds: Int) -> [Piece] {
    var pieces: [Piece] = []
    var sound = start * 48_000 / 1_024
    for picture in start * 25..<(start + seconds) * 25 {
      let time = picture * 40
      if hasVideo {
        pieces.append(
          Self.picture(
            base &+ UInt32(time), isKeyframe: picture % group == 0, bytes: pictureBytes))
      }
      while hasAudio, sound * 1_024 / 48 < time + 40 {
        pieces.append(Self.sound(base &+ UInt32(sound * 1_024 / 48)))
        sound += 1
      }
    }
    return pieces
  }

  /// Bytes from hexadecimal digits.
  static func bytes(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }
}
