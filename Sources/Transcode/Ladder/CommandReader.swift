import Media

/// Takes the parent's commands apart, and gives each thread its own.
struct CommandReader {
  private var messages = LadderMessageReader<LadderCommand>()
  private var gate = IdleGate()
  private let pictures: BoundedQueue<DecoderTask>
  private let sounds: BoundedQueue<SoundTask>
  private let output: LadderOutput
  private let gauges: LadderGauges

  init(
    _ pictures: BoundedQueue<DecoderTask>, _ sounds: BoundedQueue<SoundTask>,
    output: LadderOutput, gauges: LadderGauges
  ) {
    self.pictures = pictures
    self.sounds = sounds
    self.output = output
    self.gauges = gauges
  }

  /// Takes the next bytes of the socket.
  ///
  /// - Throws: `.usage` for what is no command.
  mutating func take(_ bytes: borrowing Span<UInt8>) throws(TranscodeError) {
    messages.append(bytes)
    do throws(LadderWireError) {
      while let command = try messages.next() { handle(command) }
    } catch {
      throw TranscodeError(.usage, "the node sent what is no command (\(error))")
    }
  }

  private mutating func handle(_ command: LadderCommand) {
    switch command {
    case .videoConfiguration(let codec, let record, let rate):
      let source = LadderSource(codec: codec, record: record, rate: rate)
      push(.source(source))
      push(.pictures(source))
    case .audioConfiguration(let codec, let record):
      push(.source(codec: codec, record: record))
    case .frame(let frame, let isCut):
      for passage in gate.admit(frame, isCut: isCut) { handle(passage) }
    case .wanted(let mask):
      gate.want(mask)
      push(.wanted(mask))
    case .drain(let id):
      let drain = LadderDrain(id, output: output)
      gauges.receiveEnd(of: .video)
      gauges.receiveEnd(of: .audio)
      push(DecoderTask.drain(drain))
      push(SoundTask.drain(drain))
    }
  }

  private func handle(_ passage: IdleGate.Passage) {
    switch passage {
    case .frame(let frame, let isCut) where frame.track == .video:
      gauges.receive(frame.dts, of: .video)
      push(.packet(frame, isCut: isCut))
    case .frame(let frame, let isCut):
      if isCut { push(.cut(frame.pts)) }
      gauges.receive(frame.dts, of: .audio)
      push(.packet(frame))
    case .rest(.video):
      gauges.receiveEnd(of: .video)
      push(DecoderTask.rest)
    case .rest(.audio):
      gauges.receiveEnd(of: .audio)
      push(SoundTask.rest)
    }
  }

  private func push(_ task: DecoderTask) { pictures.push(task, cost: task.cost) }

  private func push(_ task: SoundTask) { sounds.push(task, cost: task.cost) }
}
