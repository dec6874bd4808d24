import Media

/// An FLV file: the same tags however it is cut, and a valid stream of them.
func fuzzFLV(_ input: [UInt8]) throws(Finding) {
  let whole = try tags(input, in: [0..<input.count])
  var pieces = Pieces(for: input)
  let cut = try tags(input, in: pieces.ranges(of: input.count))
  try check(whole == cut, "tags differ when cut in pieces")
  var owner = StreamOwner(hasPlaylists: pieces.number(below: 4) == 0)
  for tag in whole {
    switch tag.kind {
    case .audio: try owner.take(.audio, tag.body, timestamp: tag.timestamp)
    case .video: try owner.take(.video, tag.body, timestamp: tag.timestamp)
    case .script: try owner.interrupt()
    }
  }
  try owner.end()
}

private func tags(_ input: [UInt8], in pieces: [Range<Int>]) throws(Finding) -> [FLVTag] {
  var reader = FLVReader()
  var tags: [FLVTag] = []
  for piece in pieces {
    let bytes = Array(input[piece])
    reader.append(bytes.span)
    do throws(FLVReader.Failure) {
      while let tag = try reader.next() { tags.append(tag) }
    } catch {
      return tags
    }
  }
  try check(tags.reduce(0) { $0 + $1.body.count + 15 } <= input.count, "more than the file holds")
  return tags
}

/// A publisher whose every message is one of the input's records: what it is, how its clock moves,
/// how long it is, and its bytes.
///
/// Valid records of both codecs are among what a message can be, since no fuzzer finds those soon.
func fuzzPackager(_ input: [UInt8]) throws(Finding) {
  var pieces = Pieces(for: input)
  var owner = StreamOwner(
    fragment: MediaTime(milliseconds: input.first.map { 200 + Int64($0) * 20 } ?? 500),
    hasPlaylists: pieces.number(below: 8) == 0)
  var clock: UInt32 = 0
  var index = 1
  while index + 3 <= input.count {
    let kind = input[index]
    let step = Int32(Int8(bitPattern: input[index + 1]))
    let length = min(Int(input[index + 2]), input.count - index - 3)
    let bytes = Array(input[index + 3..<index + 3 + length])
    index += 3 + length
    // Two bits say how large the step is: jitter, frames, gaps, another clock.
    let tick: Int32 = [1, 40, 1_000, 20_000_000][Int(kind >> 6)]
    clock &+= UInt32(bitPattern: step &* tick)
    let composition: [UInt8] = bytes.first.map { [0, 0, $0] } ?? [0, 0, 0]
    switch kind & 0x0f {
    case 0: try owner.take(.video, [0x17, 0, 0, 0, 0] + avc320, timestamp: clock)
    case 1: try owner.take(.video, [0x17, 0, 0, 0, 0] + avc480, timestamp: clock)
    case 2: try owner.take(.audio, [0xaf, 0, 0x11, 0x90], timestamp: clock)
    case 3: try owner.take(.audio, [0xaf, 0, 0x12, 0x10], timestamp: clock)
    case 4, 5: try owner.take(.video, [0x17, 1] + composition + nalUnit(bytes), timestamp: clock)
    case 6, 7: try owner.take(.video, [0x27, 1] + composition + nalUnit(bytes), timestamp: clock)
    case 8, 9: try owner.take(.audio, [0xaf, 1] + bytes + [1], timestamp: clock)
    case 10: try owner.take(.video, [0x27, 1, 0xff, 0xff] + bytes, timestamp: clock)
    case 11: try owner.take(.video, bytes, timestamp: clock)
    case 12: try owner.take(.audio, bytes, timestamp: clock)
    case 13: try owner.take(.video, [0x17, 0, 0, 0, 0] + bytes, timestamp: clock)
    case 14: try owner.take(.audio, [0xaf, 0] + bytes, timestamp: clock)
    default: try owner.interrupt()
    }
  }
  try owner.end()
}

/// A NAL unit with its length in four bytes; never an empty one.
private func nalUnit(_ bytes: [UInt8]) -> [UInt8] {
  [0, 0, 0, UInt8(truncatingIfNeeded: bytes.count + 1), 0x65] + bytes
}

/// Records of x264, of 320 and 480 lines.
private let avc320: [UInt8] = [
  0x01, 0x42, 0xc0, 0x0d, 0xff, 0xe1, 0x00, 0x17, 0x67, 0x42, 0xc0, 0x0d, 0xda, 0x05, 0x06, 0x7e,
  0x7c, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x0f, 0x23, 0xc5, 0x0a, 0xa8, 0x01,
  0x00, 0x04, 0x68, 0xce, 0x0f, 0xc8,
]
private let avc480: [UInt8] = [
  0x01, 0x42, 0xc0, 0x28, 0xff, 0xe1, 0x00, 0x17, 0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08,
  0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x3e, 0x90, 0x00, 0x0e, 0xa6, 0x00, 0xf1, 0x83, 0x2a, 0x01,
  0x00, 0x04, 0x68, 0xce, 0x0f, 0xc8,
]
