import Media

/// The thread that decodes pictures, once for all rungs.
///
/// Nothing in a bitstream stops it: what can't be decoded is counted and passed over.
struct LadderDecoder: ~Copyable {
  private let queue: BoundedQueue<DecoderTask>
  private let pictures: BoundedQueue<CascadeTask>
  private let gauges: LadderGauges
  private var packet: MediaPacket
  private var source: LadderSource?
  /// Nil before the first packet of a configuration, and after one that no decoder takes.
  private var decoder: CodecContext?
  private var isRefused = false
  private var deinterlacer = Deinterlacer()
  private var brokenCount: UInt64 = 0

  init(
    from queue: BoundedQueue<DecoderTask>, to pictures: BoundedQueue<CascadeTask>,
    gauges: LadderGauges
  ) throws(TranscodeError) {
    packet = try MediaPacket()
    self.queue = queue
    self.pictures = pictures
    self.gauges = gauges
  }

  /// Works until the process ends.
  ///
  /// - Throws: `.codecMissing`; `.libav` when memory is short.
  mutating func run() throws(TranscodeError) -> Never {
    while true {
      switch queue.pop() {
      case .source(let source): try change(to: source)
      case .packet(let frame, let isCut): try decode(frame, isCut: isCut)
      case .cut(let time): pictures.push(.cut(time))
      case .wanted(let mask): pictures.push(.wanted(mask))
      case .rest:
        gauges.takeEnd(of: .video)
        try close()
        pictures.push(.rest)
      case .drain(let drain):
        gauges.takeEnd(of: .video)
        // What it learnt of a stream, such as how far pictures are reordered, is forgotten with it.
        try close()
        pictures.push(.drain(drain))
      }
    }
  }

  private mutating func change(to source: LadderSource) throws(TranscodeError) {
    if source.codec != self.source?.codec || source.record != self.source?.record {
      try close()
    }
    self.source = source
    pictures.push(.source(source))
  }

  private mutating func decode(_ frame: Frame, isCut: Bool) throws(TranscodeError) {
    gauges.take(frame.dts, of: .video)
    if isCut { pictures.push(.cut(frame.pts)) }
    if decoder == nil { try open(for: frame) }
    let data = frame.payload.span.extracting(droppingFirst: frame.payloadOffset)
    try packet.fill(data, pts: frame.pts.ticks, dts: frame.dts.ticks)
    if frame.isKeyframe { packet.markKey() }
    let isTaken = try decoder?.decode(packet) ?? false
    if isTaken { try drain() }
    countBroken(atLeast: isTaken ? 0 : 1)
  }

  /// Opens the decoder with what the first packet tells.
  private mutating func open(for frame: Frame) throws(TranscodeError) {
    guard let source, !isRefused else { return }
    // Where a stream doesn't say how far its pictures are reordered, decoders find out by showing
    // some in the wrong order; a keyframe's composition time says it at once.
    let rate = source.rate?.perSecond ?? 30
    let delay = ((frame.pts - frame.dts).seconds * rate).rounded()
    do throws(TranscodeError) {
      decoder = try CodecContext.decoder(
        source.codec, record: source.record, threads: LadderThreads.decoder(for: source),
        delay: delay.isFinite ? Int(min(max(0, delay), 16)) : 0)
    } catch {
      if error.code == .codecMissing { throw error }
      isRefused = true
    }
  }

  /// Takes out what the decoder still holds, and lets go of it.
  private mutating func close() throws(TranscodeError) {
    isRefused = false
    if decoder == nil { return }
    try decoder?.finishDecoding()
    try drain()
    try finishDeinterlacing()
    countBroken(atLeast: 0)
    decoder = nil
    brokenCount = 0
  }

  private mutating func drain() throws(TranscodeError) {
    while true {
      var frame = try MediaFrame()
      guard try decoder?.receive(&frame) == .ready else { return }
      guard let time = frame.bestTime, frame.width > 0, frame.height > 0 else {
        gauges.count(dropped: 1)
        continue
      }
      gauges.count(decoded: 1)
      frame.pts = time
      if deinterlacer.needs(frame) {
        if !deinterlacer.goesOn(with: frame) { try finishDeinterlacing() }
        if try deinterlacer.take(&frame) {
          try passDeinterlaced()
          continue
        }
      }
      pictures.push(.picture(LadderPicture(frame, at: MediaTime(ticks: time))))
    }
  }

  private mutating func finishDeinterlacing() throws(TranscodeError) {
    deinterlacer.finish()
    try passDeinterlaced()
  }

  private mutating func passDeinterlaced() throws(TranscodeError) {
    while true {
      var frame = try MediaFrame()
      guard try deinterlacer.next(&frame) else { return }
      guard let time = frame.pts else { continue }
      pictures.push(.picture(LadderPicture(frame, at: MediaTime(ticks: time))))
    }
  }

  private mutating func countBroken(atLeast least: UInt64) {
    let count = decoder?.brokenCount ?? brokenCount
    gauges.count(dropped: max(least, count - brokenCount))
    brokenCount = count
  }
}
