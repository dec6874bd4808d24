import HLS
import Media

/// Owns a stream as the origin does, from messages to playlists, and checks what comes out.
struct StreamOwner {
  private var demuxer = TagDemuxer()
  private let packager: StreamPackager
  private var window: LiveWindow
  private var last: Segment?
  private var continuity: [Int: UInt8] = [:]
  /// Bytes of frames taken.
  private var taken = 0
  private var written = 0
  /// Milliseconds since 1970, as the owner's clock says.
  private var date: Int64 = 1_795_818_841_000

  /// Whether playlists are made; they cost more than all else.
  private let hasPlaylists: Bool

  init(fragment: MediaTime = MediaTime(milliseconds: 500), hasPlaylists: Bool) {
    self.hasPlaylists = hasPlaylists
    packager = StreamPackager(configuration: .init(clock: .init(fragment: fragment)))
    window = LiveWindow(configuration: .init(length: MediaTime(milliseconds: 3_000)))
  }

  /// Takes a message; one that can't be read is lost.
  mutating func take(_ track: Track, _ payload: [UInt8], timestamp: UInt32) throws(Finding) {
    var events: [MediaEvent] = []
    switch track {
    case .video: try? demuxer.video(payload, timestamp: timestamp) { events.append($0) }
    case .audio: try? demuxer.audio(payload, timestamp: timestamp) { events.append($0) }
    }
    try check(
      demuxer.configurations.count <= TagDemuxer.maximumTracks, "too many configurations")
    for event in events {
      switch event {
      case .configuration(let configuration): packager.configure(configuration)
      case .frame(let frame):
        taken += frame.byteCount
        for segment in packager.append(frame, date: date) { try publish(segment) }
      case .repaired(_, .steppedBack), .repaired(_, .jumped): packager.noteBreak()
      case .repaired, .sequenceEnd, .colour: break
      }
    }
    date += 7
  }

  /// The publisher leaves; the next message is another's.
  mutating func interrupt() throws(Finding) {
    if let segment = packager.interrupt() { try publish(segment) }
    demuxer = TagDemuxer()
  }

  /// The stream ends.
  mutating func end() throws(Finding) {
    try interrupt()
    guard hasPlaylists else { return }
    let update = window.end(now: MediaTime(milliseconds: date))
    guard let playlist = update.playlist else { return }
    try check(
      playlist.text.plain.suffix(15).elementsEqual("#EXT-X-ENDLIST\n".utf8), "no end in a playlist")
    if let variant = packager.variant {
      try check(variant.bandwidth >= 0 && variant.averageBandwidth >= 0, "a negative bandwidth")
      _ = MasterPlaylist([.init(uri: "a", info: variant)])
    }
  }

  private mutating func publish(_ segment: Segment) throws(Finding) {
    try follows(segment)
    try packets(segment.bytes)
    written += segment.bytes.count
    // Every frame is written once at most. What comes with one: parameter sets of a record (a
    // picture), headers, stuffing to the end of a packet, and the tables of each segment.
    try check(
      written <= 40 * taken + 400 * (segment.sequence + 1) * 188, "segments of \(written) bytes")
    last = segment
    guard hasPlaylists else { return }
    let update = window.append(segment, now: MediaTime(milliseconds: date))
    guard let playlist = update.playlist else { throw Finding("a segment without a playlist") }
    try check(playlist.nextSequence == segment.sequence + 1, "the playlist's next number")
    try check(window.segments.count <= 1024, "a playlist of \(window.segments.count) segments")
  }

  /// RFC 8216's rules for one segment after another.
  private func follows(_ segment: Segment) throws(Finding) {
    try check(segment.duration > .zero, "segment \(segment.sequence) lasts \(segment.duration)")
    let rounded = Int(segment.duration.seconds.rounded())
    try check(
      rounded <= segment.targetDuration,
      "segment \(segment.sequence) lasts \(segment.duration), target \(segment.targetDuration)")
    guard let last else { return try check(segment.sequence == 0, "starts at \(segment.sequence)") }
    try check(segment.sequence == last.sequence + 1, "\(segment.sequence) after \(last.sequence)")
    try check(segment.targetDuration == last.targetDuration, "the target duration changes")
    // A publisher who returns may begin with sound that leads up to its first picture.
    let pause = segment.startTime - (last.startTime + last.duration)
    try check(
      pause == .zero || (segment.isDiscontinuity && (0...22_500).contains(pause.ticks)),
      "segment \(segment.sequence) starts \(pause) after the last one's end")
    let discontinuities = last.discontinuitySequence + (segment.isDiscontinuity ? 1 : 0)
    try check(segment.discontinuitySequence == discontinuities, "the discontinuity's number")
    try check(segment.programDate >= last.programDate, "the program's date goes back")
  }

  /// Whole packets, each with its sync byte, counters that run on, and a PAT and PMT in front.
  private mutating func packets(_ bytes: [UInt8]) throws(Finding) {
    try check(bytes.count % 188 == 0 && bytes.count >= 376, "a segment of \(bytes.count) bytes")
    for start in stride(from: 0, to: bytes.count, by: 188) {
      try check(bytes[start] == 0x47, "no sync byte at \(start)")
      let pid = Int(bytes[start + 1] & 0x1f) << 8 | Int(bytes[start + 2])
      try check(start > 0 || pid == 0, "a segment begins with PID \(pid)")
      try check(start != 188 || pid == 0x1000, "PID \(pid) after the PAT")
      let counter = bytes[start + 3] & 0x0f
      if let previous = continuity[pid] {
        try check(counter == (previous + 1) & 0x0f, "PID \(pid): \(counter) after \(previous)")
      }
      continuity[pid] = counter
      if bytes[start + 3] & 0x20 != 0 {
        try check(bytes[start + 4] <= 183, "an adaptation field of \(bytes[start + 4]) bytes")
      }
    }
  }
}
