import Media

/// The headers of messages, and codec configurations.
func fuzzMedia(_ input: [UInt8]) throws(Finding) {
  var bodies: [(Range<Int>, UInt32)] = []
  try? VideoTag.parse(input.span) { bodies.append(($0.body, $0.nanoseconds)) }
  try? AudioTag.parse(input.span) { bodies.append(($0.body, $0.nanoseconds)) }
  try check(bodies.count <= 2 * input.count, "\(bodies.count) tags")
  for (body, nanoseconds) in bodies {
    try check(body.lowerBound >= 0 && body.upperBound <= input.count, "a body at \(body)")
    try check(nanoseconds < 1_000_000, "an offset of \(nanoseconds) ns")
  }
  for codec in Codec.allCases { try configuration(codec, input) }
  for start in bodies.prefix(2).map(\.0.lowerBound) {
    for codec in [Codec.h264, .h265, .aac, .opus, .av1, .vp9] {
      try configuration(codec, Array(input[start...]))
    }
  }
  if let picture = try? SequenceParameterSet(nal: input.span) { try check(picture) }
  try units(input)
}

private func configuration(_ codec: Codec, _ record: [UInt8]) throws(Finding) {
  guard let track = try? TrackConfiguration(codec: codec, record: record) else { return }
  // It stands between quotes in a playlist.
  try check(
    track.codecString.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x2c },
    "a codec named \(track.codecString)")
  try check(track.codecString.utf8.count <= 64, "a codec's name is long")
  if let size = track.size {
    try check(
      (1...32_768).contains(size.width) && (1...32_768).contains(size.height),
      "a picture of \(size.width) × \(size.height)")
  }
  if let rate = track.frameRate { try check(rate >= 1 && rate <= 480, "\(rate) pictures a second") }
  switch track.details {
  case .avc(let avc):
    try check((1...4).contains(avc.lengthSize), "lengths of \(avc.lengthSize) bytes")
    try check(
      (avc.sequenceParameterSets + avc.pictureParameterSets).allSatisfy { !$0.isEmpty },
      "an empty parameter set")
    if let picture = avc.picture { try check(picture) }
  case .hevc(let hevc):
    try check((1...4).contains(hevc.lengthSize), "lengths of \(hevc.lengthSize) bytes")
  case .aac(let aac):
    try check(aac.sampleRate > 0 && aac.samplesPerFrame > 0, "a rate of \(aac.sampleRate)")
    try check(aac.channels >= 0 && aac.channels <= 256, "\(aac.channels) channels")
  case .named: break
  }
}

private func check(_ picture: SequenceParameterSet) throws(Finding) {
  try check(
    (1...16_384).contains(picture.width) && (1...32_768).contains(picture.height),
    "a picture of \(picture.width) × \(picture.height)")
  try check(picture.sampleAspect.width > 0 && picture.sampleAspect.height > 0, "an aspect of 0")
}

/// Units lie one after the other inside the frame.
private func units(_ frame: [UInt8]) throws(Finding) {
  for lengthSize in 0...5 {
    var units = NALUnits(lengthSize: lengthSize, from: lengthSize)
    var end = lengthSize
    while let unit = units.next(in: frame.span) {
      try check(unit.lowerBound > end && !unit.isEmpty, "a unit at \(unit) after \(end)")
      try check(unit.upperBound <= frame.count, "a unit past the end")
      end = unit.upperBound
    }
  }
}
