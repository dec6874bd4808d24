import EventLoop
import HLS
import Media
import Transcode

/// The rungs of one live stream below its source: feeds a worker with what the source was cut into,
/// and makes segments of what it gives.
///
/// Used by the stream's owner alone; a worker lives from a publisher's first frame until its last
/// segment is made in every rung, all on the publisher's loop. A worker that is lost is replaced at
/// once, and the next one is given again what is not answered.
final class Ladder {
  private let configuration: LadderConfiguration
  private let notice: (LadderNotice) -> Void
  private let reap: (WorkerProcess) -> Void
  private var assembly: LadderAssembly
  private var worker: LadderWorker?
  /// What the worker was asked for: it numbers its sounds so.
  private var given: LadderJob
  private var loop: Loop?
  /// The rungs of the publisher's plan, and whether the source is in it.
  private var allowed: [Int] = []
  private var allowsSource = true
  /// Whether a rung has viewers whose plan lacks the source.
  private var hasLesserViewers = false
  /// What the publisher's video encoder is set to, in bits per second, where it says so: no rung
  /// shall have more.
  var sourceBitrate: Int?
  /// The rungs that are encoded of this source.
  private var wanted: [Int] = []
  /// Told of each segment, by the rung's place in the job.
  var onSegment: (_ rung: Int, Segment) -> Void = { _, _ in }
  /// Told how a rung's encoder encodes, and of what it gives, before segments are made of it.
  var onConfiguration: (_ rung: Int, TrackConfiguration) -> Void = { _, _ in }
  var onFrame: (_ rung: Int, Frame) -> Void = { _, _ in }
  /// Told of rungs that the stream has from now on.
  var onRungs: ([Int]) -> Void = { _ in }

  /// What the worker was told of the tracks last.
  private var told: (video: TrackConfiguration?, audio: TrackConfiguration?)
  /// The rungs that it was told to encode last, and those that are encoded from the last cut on.
  private var toldMask: UInt32?
  private var mask: UInt32 = 0
  /// Who watches and records the rungs.
  var demand: RungDemand
  /// Drains that are out, and before which part each is.
  private var drains: [UInt32: Int] = [:]
  private var nextDrain: UInt32 = 0
  private var backoff: LadderBackoff
  private var standIns: StandIns
  /// What the worker has said of itself last.
  private var report = LadderReport()
  private var restart: ScheduledWork?
  private var watch: ScheduledWork?
  private var settled: (() -> Void)?
  private var settling: ScheduledWork?

  /// Makes one without a worker.
  ///
  /// - Parameters:
  ///   - configuration: what is made.
  ///   - reap: waits for the end of a worker that was killed, away from the loop.
  ///   - notice: told what an operator wants to know.
  init(
    _ configuration: LadderConfiguration, reap: @escaping (WorkerProcess) -> Void,
    notice: @escaping (LadderNotice) -> Void
  ) {
    self.configuration = configuration
    given = configuration.job
    self.reap = reap
    self.notice = notice
    backoff = LadderBackoff(configuration)
    standIns = StandIns(rungs: configuration.job.rungs.count)
    demand = RungDemand(configuration)
    assembly = LadderAssembly(
      rungs: configuration.job.rungs.count, patience: configuration.patience)
  }

  deinit { worker?.process.stop() }

  // MARK: The source

  /// A publisher's frames follow, on its loop.
  ///
  /// - Parameters:
  ///   - loop: where the worker is to live.
  ///   - viewers: who may have a rendition, by its name: bit n is the viewers' plan n; 0 where the
  ///     publisher's plan hasn't got it.
  func begin(on loop: Loop, viewers: (String) -> UInt32 = { _ in .max }) {
    self.loop = loop
    sourceBitrate = nil
    let source = viewers(Renditions.sourceName)
    let rungs = configuration.job.rungs.map { viewers($0.name) }
    allowsSource = source != 0
    allowed = rungs.indices.filter { rungs[$0] != 0 }
    hasLesserViewers = rungs.contains { $0 & ~source != 0 }
  }

  /// Takes what the source's packager does.
  func take(_ placement: Placement) {
    switch placement {
    case .began(let start):
      plan(start)
      mask = demand.mask(of: wanted, smallestStaysOn: hasLesserViewers) { assembly.isMeasured($0) }
      let beginsAnew = assembly.begin(start, wanted: mask)
      let fresh = assembly.activate(wanted)
      if !fresh.isEmpty { onRungs(fresh) }
      if worker == nil, restart == nil { return startWorker() }
      if beginsAnew { drain(before: start.sequence) }
      want(mask)
      tell(start)
    case .frame(let frame):
      let isCut = assembly.append(frame)
      worker?.send(.frame(frame, isCut: isCut))
    }
  }

  /// The source's segment is finished.
  func finish(_ source: Segment) {
    assembly.finish(source)
    collect()
  }

  /// The publisher has gone.
  ///
  /// - Parameter done: called once nothing of the ladder is on the loop any more.
  func interrupt(done: @escaping () -> Void) {
    assembly.interrupt()
    collect()
    guard let loop, let last = assembly.parts.last else { return leave(done) }
    settled = done
    drain(before: last.sequence + 1)
    settling = loop.schedule(after: configuration.settleTimeout) { [weak self] in
      self?.settling = nil
      self?.giveUp()
    }
    if worker == nil { giveUp() }
  }

  /// Which rungs this source is large enough for.
  private func plan(_ start: SegmentStart) {
    guard case .avc(let avc) = start.video?.details, let picture = avc.picture else { return }
    let size = PictureSize(width: picture.width, height: picture.height)
    wanted = LadderPlan(picture, rungs: configuration.job.rungs).entries.filter { entry in
      allowed.contains(entry.index) && !(entry.size == size && isNeedless(entry.rung))
    }.map(\.index)
  }

  /// Whether a rung of the source's own size would only be a copy of it.
  private func isNeedless(_ rung: LadderRung) -> Bool {
    guard allowsSource, configuration.job.rungs.count > 1, let sourceBitrate else { return false }
    return sourceBitrate <= rung.videoBitrate + rung.videoBitrate / 10
  }

  /// What a worker is asked for: the rungs, none with more bits than the source has, and no sound
  /// for those alone that the publisher's plan lacks.
  private var job: LadderJob {
    var job = configuration.job
    if let first = allowed.first {
      for index in job.rungs.indices where !allowed.contains(index) {
        job.rungs[index].audioBitrate = job.rungs[first].audioBitrate
      }
    }
    guard let sourceBitrate else { return job }
    for index in job.rungs.indices {
      job.rungs[index].videoBitrate = min(job.rungs[index].videoBitrate, max(sourceBitrate, 50_000))
    }
    return job
  }

  /// What a rung needs of a viewer; nil before its encoder has said how it encodes.
  func variant(_ rung: Int, frameRate: Double?) -> VariantInfo? {
    let bitrates = job.rungs[rung]
    return assembly.variant(
      rung, bitrate: bitrates.videoBitrate + bitrates.audioBitrate, frameRate: frameRate)
  }

  /// Whether too many workers were lost, so that there is none for a while.
  var isPaused: Bool { backoff.isPaused }

  /// What an operator is told; nil while nobody publishes what rungs are made of.
  var status: LadderStatus? {
    guard loop != nil, !wanted.isEmpty else { return nil }
    if isPaused { return LadderStatus(state: .paused) }
    let active = mask & report.activeRungs
    let encoded = wanted.filter { active >> UInt32($0) & 1 == 1 }
    return LadderStatus(
      state: mask == 0 ? .idle : .encoding, encoded: encoded.map(name),
      lagMilliseconds: report.lag.milliseconds, step: report.step, decoded: report.decoded,
      dropped: report.dropped, processID: worker?.process.processID ?? 0)
  }

  func name(_ rung: Int) -> String { configuration.job.rungs[rung].name }

  /// What is kept for encoders, in bytes.
  var keptBytes: Int { assembly.keptBytes }

  // MARK: The worker

  private func startWorker() {
    restart = nil
    backoff.started()
    report = LadderReport()
    guard let loop, mask != 0, worker == nil else { return }
    do {
      given = job
      let process = try WorkerProcess(
        command: LadderConfiguration.command, arguments: given.arguments,
        limits: configuration.job.limits, isNonBlocking: true,
        executable: configuration.executable)
      let worker = try LadderWorker(
        process, on: loop, onEvent: { [weak self] in self?.take($0) },
        onEnd: { [weak self, reap] why, process in
          reap(process)
          self?.lost(why)
        })
      try loop.add(worker)
      self.worker = worker
      notice(.started(processID: process.processID))
      watchWorker()
      replay()
    } catch {
      lost("it can't be started: \(error)")
    }
  }

  /// Gives a new worker everything that no segment answers.
  private func replay() {
    told = (nil, nil)
    drains.removeAll()
    toldMask = nil
    assembly.restart()
    for (index, part) in assembly.parts.enumerated() {
      if part.beginsAnew, index > 0 { drain(before: part.sequence) }
      want(part.wanted)
      tell(part.start)
      var isCut = true
      for frame in part.frames {
        worker?.send(.frame(frame, isCut: isCut && frame.track == .video))
        if frame.track == .video { isCut = false }
      }
    }
    if settled != nil, let last = assembly.parts.last { drain(before: last.sequence + 1) }
  }

  /// Tells which rungs are to be encoded of the part that follows, where that is news.
  private func want(_ rungs: UInt32) {
    guard let worker, toldMask != rungs else { return }
    worker.send(.wanted(rungs))
    toldMask = rungs
  }

  /// Tells how the frames are coded that follow, where that is news.
  private func tell(_ start: SegmentStart) {
    if let video = start.video, video != told.video {
      let rate = video.frameRate.flatMap { FrameRate("\($0)") }
      worker?.send(.videoConfiguration(codec: video.codec, record: video.record, rate: rate))
      told.video = video
    }
    if let audio = start.audio, audio != told.audio {
      worker?.send(.audioConfiguration(codec: audio.codec, record: audio.record))
      told.audio = audio
    }
  }

  /// Has the worker give all that it holds of the parts before one, and begin anew.
  private func drain(before sequence: Int) {
    guard let worker else { return }
    nextDrain &+= 1
    drains[nextDrain] = sequence
    told = (nil, nil)
    worker.send(.drain(nextDrain))
  }

  private func take(_ event: LadderEvent) {
    switch event {
    case .configuration(let stream, let codec, let record):
      guard let configuration = try? TrackConfiguration(codec: codec, record: record) else {
        return
      }
      for rung in given.rungs(of: stream) {
        onConfiguration(rung, configuration)
        assembly.configure(rung, configuration)
      }
    case .frame(let stream, let frame, _):
      for rung in given.rungs(of: stream) {
        onFrame(rung, frame)
        assembly.append(rung, frame)
      }
      collect()
    case .drained(let id):
      guard let sequence = drains.removeValue(forKey: id) else { return }
      assembly.drained(before: sequence)
      collect()
    case .report(let report):
      self.report = report
      notice(.report(report))
      isTooSlow = report.lag.milliseconds > configuration.maximumLag.components.seconds * 1_000
    case .failed: break
    }
  }

  private var isTooSlow = false

  private func note(_ output: LadderAssembly.Output) {
    let news = standIns.take(
      output.rung, isOwn: output.origin == .own, isWanted: mask >> UInt32(output.rung) & 1 == 1,
      now: .now)
    if let news { notice(.standIn(rung: name(output.rung), news)) }
  }

  private func collect() {
    while let output = assembly.next() {
      if output.origin == .own { backoff.madeSegment() }
      notice(.made(output.origin))
      note(output)
      onSegment(output.rung, output.segment)
    }
    if settled != nil, assembly.parts.isEmpty { leave(settled ?? {}) }
  }

  // MARK: Failure

  /// Looks after the worker once a second.
  private func watchWorker() {
    guard watch == nil, let loop else { return }
    watch = loop.schedule(after: .seconds(1)) { [weak self] in
      guard let self, let worker else { return }
      watch = nil
      if worker.silence > configuration.hangTimeout {
        worker.end("it gave no picture for \(configuration.hangTimeout.components.seconds) s")
      } else if isTooSlow {
        worker.end("it fell too far behind")
      } else {
        watchWorker()
      }
    }
  }

  /// The worker is gone: another one, at once where that is the first, or after a while.
  private func lost(_ why: String) {
    stopWatching()
    worker = nil
    isTooSlow = false
    guard let loop else { return }
    switch backoff.lost(at: .now) {
    case .replace(let delay):
      notice(.lost(why))
      scheduleRestart(after: delay, loop)
    case .pause(let pause):
      notice(.paused(why))
      scheduleRestart(after: pause, loop)
    }
    // What kills workers one after the other is not given to a third.
    if settled != nil || backoff.fruitless > 1 { giveUp() }
  }

  private func scheduleRestart(after delay: Duration, _ loop: Loop) {
    restart = loop.schedule(after: delay) { [weak self] in self?.startWorker() }
  }

  private func stopWatching() {
    if let watch { loop?.cancel(watch) }
    watch = nil
  }

  /// Nothing more is waited for: what is owed comes from elsewhere.
  private func giveUp() {
    assembly.giveUp()
    collect()
    if let settled { leave(settled) }
  }

  /// Nothing stays on the loop.
  private func leave(_ done: () -> Void) {
    settled = nil
    stopWatching()
    for work in [restart, settling].compactMap({ $0 }) { loop?.cancel(work) }
    restart = nil
    settling = nil
    if let worker {
      self.worker = nil
      notice(.stopped)
      worker.process.stop()
      loop?.close(worker)
      reap(worker.process)
    }
    drains.removeAll()
    loop = nil
    done()
  }
}
