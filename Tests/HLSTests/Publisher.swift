import Media

/// Makes the frames of an imagined publisher, always the same ones.
struct Publisher {
  var frameMilliseconds: Int64 = 40
  /// Pictures from one keyframe to the next.
  var group: Int64 = 50
  var hasVideo = true
  var hasAudio = true
  /// Shows pictures in another order than they are decoded in.
  var hasReordering = false
  var pictureBytes = 300...2_000
  /// When the first picture is, on the publisher's clock.
  var base: Int64 = 0

  static let avc = bytes(
    "0142c00dffe100176742c00dda05067e7c0440000003004000000f23c50aa801000468ce0fc8")
  static let avcOther = bytes(
    "0142c028ffe100176742c028da01e0089f97011000003e90000ea600f1832a01000468ce0fc8")

  /// Bytes to cut payloads from; without zeros, as start codes are the encoder's business.
  private static let noise: [UInt8] = {
    var random = SeededGenerator(state: 1)
    return (0..<8_192).map { _ in .random(in: 1...255, using: &random) }
  }()

  static func configuration(_ codec: Codec, _ record: [UInt8]) throws -> TrackConfiguration {
    try TrackConfiguration(codec: codec, record: record)
  }

  func configurations() throws -> [TrackConfiguration] {
    var list: [TrackConfiguration] = []
    if hasVideo { list.append(try Self.configuration(.h264, Self.avc)) }
    if hasAudio { list.append(try Self.configuration(.aac, [0x11, 0x90])) }
    return list
  }

  /// The frames from one moment to another, in the order in which they are sent.
  func frames(from: Int64 = 0, seconds: Int64) -> [Frame] {
    var frames: [Frame] = []
    let end = from + seconds * 1_000
    var picture = (from + frameMilliseconds - 1) / frameMilliseconds
    var sound = (from * 48 + 1_023) / 1_024
    while true {
      let pictureTime = hasVideo ? picture * frameMilliseconds : .max
      let soundTime = hasAudio ? sound * 1_024 / 48 : .max
      if min(pictureTime, soundTime) >= end { return frames }
      if pictureTime <= soundTime {
        frames.append(videoFrame(picture))
        picture += 1
      } else {
        frames.append(audioFrame(sound))
        sound += 1
      }
    }
  }

  func videoFrame(_ number: Int64) -> Frame {
    let isKeyframe = number % group == 0
    var random = SeededGenerator(state: UInt64(number &+ 1))
    let sizes = [pictureBytes.randomElement(using: &random) ?? 500, 40]
    var payload: [UInt8] = [isKeyframe ? 0x17 : 0x27, 1, 0, 0, 0]
    // A delimiter of the encoder's own, which is not to be doubled.
    payload += [0, 0, 0, 2, 9, 0x10]
    for size in sizes {
      payload += [0, 0, UInt8(size >> 8), UInt8(size & 0xFF), isKeyframe ? 0x65 : 0x41]
      let start = Int.random(in: 0..<4_096, using: &random)
      payload += Self.noise[start..<start + size - 1]
    }
    let dts = MediaTime(milliseconds: base + number * frameMilliseconds)
    let offset = hasReordering ? [2, 4, 1, 1][Int(number % 4)] * frameMilliseconds : 0
    return Frame(
      track: .video, codec: .h264, dts: dts, pts: dts + MediaTime(milliseconds: offset),
      isKeyframe: isKeyframe, payload: payload, payloadOffset: 5)
  }

  func audioFrame(_ number: Int64) -> Frame {
    var random = SeededGenerator(state: UInt64(number &+ 1) << 32)
    var payload: [UInt8] = [0xAF, 1]
    let start = Int.random(in: 0..<4_096, using: &random)
    payload += Self.noise[start..<start + .random(in: 200...500, using: &random)]
    let time = MediaTime(milliseconds: base + number * 1_024 / 48)
    return Frame(
      track: .audio, codec: .aac, dts: time, pts: time, isKeyframe: true, payload: payload,
      payloadOffset: 2)
  }
}

/// A small generator with a seed, so that a failure comes again.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

/// Bytes from hexadecimal digits; spaces are passed over.
func bytes(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map {
    UInt8(digits[$0] << 4 | digits[$0 + 1])
  }
}

extension Frame {
  /// Its NAL units without delimiters, by a way of its own.
  var units: [[UInt8]] {
    var units: [[UInt8]] = []
    var rest = payload[payloadOffset...]
    while rest.count >= 4 {
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      units.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return units.filter { $0.first != 9 }
  }

  var data: [UInt8] { Array(payload[payloadOffset...]) }
}
