import Media

/// The thread of the sound: decoded once, encoded once at each bitrate of the rungs that are made.
struct LadderSound: ~Copyable {
  private let job: LadderJob
  private let queue: BoundedQueue<SoundTask>
  private let output: LadderOutput
  private let gauges: LadderGauges
  private var packet: MediaPacket
  private var decoded: MediaFrame
  private var source: (codec: Codec, record: [UInt8])?
  private var decoder: CodecContext?
  private var resampler = SoundResampler()
  /// What the pictures are, whose size says which rungs are made.
  private var pictures: LadderSource?
  /// By their places in the job, as the pictures' thread plans them: until the next drain; nil
  /// before the first sound.
  private var heard: [Int]?
  /// One for each bitrate that is heard; none before the first sound.
  private var encoders: [SoundEncoder] = []

  /// A gap in the sound that is filled with silence; a longer one is left open, as in the source.
  private static let filledGap = MediaTime(milliseconds: 1_000)
  /// Rates that sound is recorded at, in Hz: a packet that says one of 1 Hz would become minutes.
  private static let rates = 4_000...768_000

  init(
    _ job: LadderJob, from queue: BoundedQueue<SoundTask>, to output: LadderOutput,
    gauges: LadderGauges
  ) throws(TranscodeError) {
    let packet = try MediaPacket()
    let decoded = try MediaFrame()
    self.packet = packet
    self.decoded = decoded
    self.job = job
    self.queue = queue
    self.output = output
    self.gauges = gauges
  }

  /// Works until the process ends.
  ///
  /// - Throws: `.codecMissing`; `.libav` if an encoder fails or memory is short.
  mutating func run() throws(TranscodeError) -> Never {
    while true {
      switch queue.pop() {
      case .source(let codec, let record): try change(to: codec, record)
      case .pictures(let source): pictures = source
      case .packet(let frame):
        gauges.take(frame.dts, of: .audio)
        try decode(frame)
      case .rest:
        gauges.takeEnd(of: .audio)
        try finish()
      case .drain(let drain):
        gauges.takeEnd(of: .audio)
        try finish()
        heard = nil
        drain.pass()
      }
    }
  }

  /// Sends what is still held; the next sound is the first of new encoders.
  private mutating func finish() throws(TranscodeError) {
    try finishDecoder()
    decoder?.flush()
    for encoder in encoders { output.send(try encoder.finish()) }
    encoders = []
    resampler = SoundResampler()
  }

  private mutating func change(to codec: Codec, _ record: [UInt8]) throws(TranscodeError) {
    if let source, source == (codec, record) { return }
    try finishDecoder()
    decoder = nil
    source = (codec, record)
    do throws(TranscodeError) {
      decoder = try CodecContext.decoder(codec, record: record)
    } catch {
      if error.code == .codecMissing { throw error }
    }
  }

  private mutating func decode(_ frame: Frame) throws(TranscodeError) {
    let data = frame.payload.span.extracting(droppingFirst: frame.payloadOffset)
    try packet.fill(data, pts: frame.pts.ticks, dts: frame.dts.ticks)
    if try decoder?.decode(packet) == true { try drain() }
  }

  private mutating func finishDecoder() throws(TranscodeError) {
    if decoder == nil { return }
    try decoder?.finishDecoding()
    try drain()
  }

  private mutating func drain() throws(TranscodeError) {
    while try decoder?.receive(&decoded) == .ready {
      guard decoded.sampleCount > 0, Self.rates.contains(decoded.sampleRate),
        let time = decoded.bestTime
      else { continue }
      if encoders.isEmpty { try openEncoders() }
      try encode(at: MediaTime(ticks: time))
    }
  }

  /// The source's rate if players take it, 48 kHz if not; mono stays mono.
  private mutating func openEncoders() throws(TranscodeError) {
    var settings = AudioSettings()
    settings.sampleRate = decoded.sampleRate == 44_100 ? 44_100 : 48_000
    settings.channels = decoded.channelCount == 1 ? 1 : 2
    let bitrates = job.audioBitrates
    let heard = heard ?? plan()
    self.heard = heard
    for index in heard {
      settings.bitrate = bitrates[index]
      encoders.append(SoundEncoder(index, try AudioEncoder(settings)))
    }
  }

  /// Which of the job's bitrates the rungs have that a source of this size gets; all of them where
  /// it isn't known.
  private func plan() -> [Int] {
    let all = job.audioBitrates.indices
    guard let plan = pictures?.plan(job.rungs) else { return Array(all) }
    let wanted = Set(plan.entries.map { job.audioIndex(ofRung: $0.index) })
    return all.filter { wanted.contains($0) }
  }

  private mutating func encode(at time: MediaTime) throws(TranscodeError) {
    guard let settings = encoders.first?.settings else { return }
    let sound: MediaFrame
    do throws(TranscodeError) {
      sound = try resampler.convert(
        decoded, sampleRate: settings.sampleRate, channels: settings.channels)
    } catch {
      // A layout of channels that can't be mixed is broken sound.
      if error.code == .input { return }
      throw error
    }
    let left = sound.channel(0)
    let right = settings.channels > 1 ? sound.channel(1) : left
    for encoder in encoders {
      output.send(try encoder.encode(left, right, at: time, filling: Self.filledGap))
    }
  }
}

/// The sound of one bitrate.
final class SoundEncoder {
  private let stream: LadderEvent.Stream
  private var encoder: AudioEncoder
  private var isAnnounced = false

  init(_ index: Int, _ encoder: consuming AudioEncoder) {
    stream = .audio(index)
    self.encoder = encoder
  }

  var settings: AudioSettings { encoder.settings }

  /// Encodes samples that are played at a time.
  func encode(
    _ left: [Float], _ right: [Float], at time: MediaTime, filling gap: MediaTime
  ) throws(TranscodeError) -> [LadderEvent] {
    var frames: [Frame] = []
    let alignment = try encoder.align(to: time, filling: gap, follows: true, into: &frames)
    if alignment == .goesOn {
      try encoder.encode(left: left.span, right: right.span, into: &frames)
    }
    return events(frames)
  }

  /// What the encoder still holds; nothing can be encoded after it.
  func finish() throws(TranscodeError) -> [LadderEvent] {
    var frames: [Frame] = []
    try encoder.finish(into: &frames)
    return events(frames)
  }

  private func events(_ frames: [Frame]) -> [LadderEvent] {
    if frames.isEmpty { return [] }
    var events: [LadderEvent] = []
    if !isAnnounced {
      isAnnounced = true
      events.append(.configuration(stream, codec: .aac, record: encoder.configuration))
    }
    return events + frames.map { .frame(stream, $0, isCut: false) }
  }
}
