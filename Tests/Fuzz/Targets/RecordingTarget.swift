import Bytes
import Media
import Transcode

/// A recording as a disk or a crash has left it: the same tags however it is read, and frames with
/// places that an MP4 can have.
///
/// The first byte says how many parts the rest is, which is read as often.
func fuzzRecording(_ input: [UInt8]) throws(Finding) {
  guard let first = input.first else { return }
  let file = Array(input[1...])
  let whole = try steps(file, in: [0..<file.count])
  var pieces = Pieces(for: input)
  let cut = try steps(file, in: pieces.ranges(of: file.count))
  try check(whole == cut, "what is read differs when it comes in pieces")
  try place(whole, parts: 1 + Int(first & 3), continues: first & 4 != 0)
}

private func steps(
  _ file: [UInt8], in pieces: [Range<Int>]
) throws(Finding) -> [TagScanner.Step] {
  var scanner = TagScanner()
  var steps: [TagScanner.Step] = []
  var used = 0
  func take(isEnd: Bool) throws(Finding) {
    while true {
      let step = scanner.next(isEnd: isEnd)
      switch step {
      case .needsMore: return
      case .tag(let tag): used += tag.body.count + 11
      case .skipped(let bytes):
        try check(bytes > 0, "\(bytes) bytes were passed over")
        used += bytes
      }
      try check(used <= file.count, "more than the file holds")
      // Passed over twice in a row is passed over once.
      if case .skipped(let more) = step, case .skipped(let before) = steps.last {
        steps[steps.count - 1] = .skipped(bytes: before + more)
      } else {
        steps.append(step)
      }
    }
  }
  for piece in pieces {
    let bytes = Array(file[piece])
    scanner.append(bytes.span)
    try take(isEnd: false)
  }
  try take(isEnd: true)
  return steps
}

private func place(
  _ steps: [TagScanner.Step], parts: Int, continues: Bool
) throws(Finding) {
  var timeline = RecordingTimeline()
  var placed: [RecordingTimeline.Placed] = []
  for part in 0..<parts {
    timeline.beginPart(startedAt: Double(part * 7), continues: continues && part > 0)
    for step in steps {
      switch step {
      case .tag(let tag): timeline.take(tag) { placed.append($0) }
      case .skipped(let bytes): timeline.lose(bytes: bytes)
      case .needsMore: break
      }
    }
  }
  try check(timeline.movies.count <= RecordingTimeline.maximumMovies, "too many movies")
  try check(timeline.gaps.count <= RecordingTimeline.maximumGaps, "too many gaps")
  try check(timeline.leftOut.count <= 100, "too many words")
  var last: [Int: (movie: Int, dts: Int64)] = [:]
  var movie = 0
  for frame in placed {
    try check(frame.movie >= movie, "movie \(frame.movie) after \(movie)")
    movie = frame.movie
    try check(timeline.movies.indices.contains(movie), "a frame of movie \(movie)")
    try check(frame.dts >= 0 && frame.pts >= frame.dts, "a frame at \(frame.dts)")
    let track = frame.frame.track == .video ? 0 : 1
    if let before = last[track], before.movie == movie {
      try check(frame.dts > before.dts, "a frame at \(frame.dts) after \(before.dts)")
    } else if frame.frame.track == .video {
      try check(frame.frame.isKeyframe, "a movie's pictures begin without a keyframe")
    }
    last[track] = (movie, frame.dts)
    let tracks = timeline.movies[movie]
    try check(frame.dts <= tracks.end - tracks.start, "a frame after its movie's end")
  }
}
