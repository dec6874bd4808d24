import Media

/// The thread that encodes one rung.
struct RungEncoder: ~Copyable {
  private let index: Int
  private let queue: BoundedQueue<RungTask>
  private let output: LadderOutput
  private let gauges: LadderGauges
  private var encoder: VideoEncoder?
  /// The record that was sent last.
  private var record: [UInt8] = []
  /// When the pictures are shown that segments start with, until they come out.
  private var cuts: Set<Int64> = []
  private var lastDTS: MediaTime?

  init(
    _ index: Int, from queue: BoundedQueue<RungTask>, to output: LadderOutput, gauges: LadderGauges
  ) {
    self.index = index
    self.queue = queue
    self.output = output
    self.gauges = gauges
  }

  /// Works until the process ends.
  ///
  /// - Throws: `.codecMissing`, or `.libav` if the encoder fails.
  mutating func run() throws(TranscodeError) -> Never {
    while true {
      switch queue.pop() {
      case .open(let settings):
        try finish()
        encoder = try VideoEncoder(settings)
      case .picture(let picture, let isCut):
        try encode(picture, isCut: isCut)
      case .close:
        try finish()
      case .drain(let drain):
        try finish()
        // What follows may be on another time line.
        lastDTS = nil
        drain.pass()
      }
    }
  }

  private mutating func encode(
    _ picture: LadderPicture, isCut: Bool
  ) throws(TranscodeError) {
    var frame = try MediaFrame.sharing(picture.frame)
    frame.pts = picture.time.ticks
    if isCut { cuts.insert(picture.time.ticks) }
    var frames: [Frame] = []
    try encoder?.encode(&frame, isKeyframe: isCut, into: &frames)
    send(frames)
  }

  /// Sends what the encoder still holds, and lets go of it.
  private mutating func finish() throws(TranscodeError) {
    var frames: [Frame] = []
    try encoder?.finish(into: &frames)
    send(frames)
    encoder = nil
    cuts.removeAll()
  }

  private mutating func send(_ frames: [Frame]) {
    guard let first = frames.first, let configuration = encoder?.configuration else { return }
    var events: [LadderEvent] = []
    if configuration != record {
      record = configuration
      events.append(.configuration(.rung(index), codec: first.codec, record: record))
    }
    for var frame in frames {
      let isCut = cuts.remove(frame.pts.ticks) != nil && frame.isKeyframe
      frame.dts = ordered(frame)
      events.append(.frame(.rung(index), frame, isCut: isCut))
    }
    gauges.count(encoded: UInt64(frames.count))
    output.send(events)
  }

  /// A decoding time after the last one: those of two encoders may overlap where the source's
  /// pictures come at uneven times.
  private mutating func ordered(_ frame: Frame) -> MediaTime {
    var dts = min(frame.dts, frame.pts)
    if let lastDTS, dts <= lastDTS { dts = lastDTS + MediaTime(ticks: 1) }
    lastDTS = dts
    return dts
  }
}
