import Media

/// The thread that scales pictures: each rung's from the next larger one.
///
/// It also decides, at each cut, which rungs are encoded and how.
struct PictureCascade: ~Copyable {
  private let job: LadderJob
  private let queue: BoundedQueue<CascadeTask>
  private let output: LadderOutput
  private let gauges: LadderGauges
  /// All that the job names, in its order.
  private let rungs: [CascadeRung]
  private var source: LadderSource?
  /// The rungs made of this run of pictures, the largest first; nil before its first picture.
  private var plan: [LadderPlan.Entry]?
  private var colors = PictureColors.bt709
  private var wanted: UInt32 = .max
  private var marks = CutMarks()
  private var steps: LadderSteps
  private let presets: [String]
  private var lastTime: MediaTime?

  init(
    _ job: LadderJob, from queue: BoundedQueue<CascadeTask>, to output: LadderOutput,
    gauges: LadderGauges
  ) {
    self.job = job
    self.queue = queue
    self.output = output
    self.gauges = gauges
    rungs = job.rungs.indices.map { CascadeRung($0) }
    presets = [job.preset] + EncoderOptions.faster(than: job.preset)
    steps = LadderSteps(
      patience: job.patience, recovery: .seconds(job.recoverySeconds), presets: presets.count - 1)
  }

  /// Works until the process ends.
  ///
  /// - Throws: `.libav` when memory is short; `.system` when there can be no more threads.
  mutating func run() throws(TranscodeError) -> Never {
    while true {
      switch queue.pop() {
      case .source(let source): self.source = source
      case .cut(let time): marks.add(time)
      case .picture(let picture): try take(picture)
      case .wanted(let mask): wanted = mask
      case .rest: rest()
      case .drain(let drain): pass(drain)
      }
    }
  }

  private mutating func pass(_ drain: LadderDrain) {
    let running = rungs.compactMap(\.queue)
    drain.expect(running.count)
    for rung in rungs {
      rung.queue?.push(.drain(drain))
      rung.preset = nil
    }
    plan = nil
    lastTime = nil
    marks.removeAll()
    steps.restart()
    drain.pass()
  }

  private mutating func rest() {
    for rung in rungs where rung.preset != nil {
      rung.queue?.push(.close)
      rung.preset = nil
    }
    marks.removeAll()
    steps.restart()
    gauges.set(step: steps.step, activeRungs: 0)
  }

  private mutating func take(_ picture: LadderPicture) throws(TranscodeError) {
    if let lastTime, picture.time <= lastTime {
      gauges.count(dropped: 1)
      return
    }
    lastTime = picture.time
    let isCut = marks.take(at: picture.time)
    let isFirst = plan == nil
    let plan = self.plan ?? makePlan(of: picture)
    if isFirst || isCut { try choose(from: plan, at: picture.time, isCut: isCut) }
    var larger = picture
    for entry in plan where rungs[entry.index].preset != nil {
      let rung = rungs[entry.index]
      let scaled: LadderPicture?
      do throws(TranscodeError) {
        scaled = try rung.scale(larger, to: entry.size, colors: colors)
      } catch {
        // A format that can't be scaled is a broken picture; without memory nothing works.
        if error.code != .input { throw error }
        gauges.count(dropped: 1)
        return
      }
      guard let scaled else { continue }
      rung.queue?.push(.picture(scaled, isCut: isCut))
      larger = scaled
    }
  }

  /// Plans as the node does, by what was announced; what was not is taken from the picture.
  private mutating func makePlan(of picture: LadderPicture) -> [LadderPlan.Entry] {
    let aspect = picture.frame.pixelAspect
    let plan =
      source?.plan(job.rungs)
      ?? LadderPlan(
        source: PictureSize(width: picture.frame.width, height: picture.frame.height),
        pixelAspect: aspect, rungs: job.rungs)
    colors = PictureColors(of: picture.frame)
    self.plan = plan.cascade
    return plan.cascade
  }

  /// Opens and closes encoders; those that go on as they are notice nothing.
  private mutating func choose(
    from plan: [LadderPlan.Entry], at time: MediaTime, isCut: Bool
  ) throws(TranscodeError) {
    let asked = plan.filter { wanted >> UInt32($0.index) & 1 == 1 }
    let hasStepped =
      isCut
      && steps.cut(at: time, lag: gauges.lag, now: LadderClock.now(), rungs: asked.count)
    let choice = steps.choice
    let preset = presets[choice.presets]
    let active = Set(asked.dropFirst(choice.rungs).map(\.index))
    for entry in plan {
      let rung = rungs[entry.index]
      if !active.contains(entry.index) {
        if rung.preset != nil { rung.queue?.push(.close) }
        rung.preset = nil
      } else if rung.preset != preset || isCut && !EncoderOptions.forcesKeyframes(job.encoder) {
        try start(rung)
        rung.queue?.push(.open(settings(entry, preset: preset)))
        rung.preset = preset
      }
    }
    gauges.set(step: steps.step, activeRungs: active.reduce(0) { $0 | 1 << UInt32($1) })
    if hasStepped { output.send([.report(gauges.report)]) }
  }

  private func start(_ rung: CascadeRung) throws(TranscodeError) {
    if rung.queue != nil { return }
    let queue = BoundedQueue<RungTask>(limit: 4)
    rung.queue = queue
    let (index, output, gauges) = (rung.index, output, gauges)
    try WorkerThread.start("rung \(job.rungs[index].name)") {
      var encoder = RungEncoder(index, from: queue, to: output, gauges: gauges)
      output.orFail { () throws(TranscodeError) in try encoder.run() }
    }
  }

  private func settings(_ entry: LadderPlan.Entry, preset: String) -> VideoSettings {
    var settings = VideoSettings(
      width: entry.size.width, height: entry.size.height, rate: source?.rate ?? FrameRate(30),
      bitrate: entry.rung.videoBitrate)
    settings.maximumBitrate = entry.rung.videoBitrate / 10 * 11
    settings.bufferBits = entry.rung.videoBitrate / 2 * 3
    settings.keyframeInterval = .max
    settings.encoder = job.encoder
    settings.preset = preset
    settings.tune = job.tune
    settings.threads =
      job.threads > 0
      ? job.threads : LadderThreads.encoder(width: entry.size.width, height: entry.size.height)
    settings.reordersPictures = true
    settings.colors = colors
    return settings
  }
}
