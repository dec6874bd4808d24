import Media
import Testing

@testable import HLS

/// A publisher's stream and a ladder that is told of it, with encoders that copy what they are
/// given.
final class LadderSource {
  let packager: StreamPackager
  var assembly: LadderAssembly
  var segments: [Segment] = []
  var outputs: [LadderAssembly.Output] = []
  /// What encoders were given and have not given back, by rung.
  var held: [[Frame]]
  /// Whether encoders give back what they get.
  var isWorking = true
  /// Whether the stream has all rungs from its first segment on.
  var activatesAll = true
  var tracks: [TrackConfiguration] = []
  /// The rungs that are encoded of the segments to come; encoders give the others' frames to
  /// nobody.
  var wanted: UInt32 = .max
  private var hasStarted = false

  init(rungs: Int = 2, patience: Int = 2, publisher: Publisher = Publisher()) throws {
    packager = try HLSTests.packager(publisher)
    assembly = LadderAssembly(rungs: rungs, patience: patience)
    held = Array(repeating: [], count: rungs)
    tracks = try publisher.configurations()
    packager.onPlacement = { [unowned self] in take($0) }
  }

  private func take(_ placement: Placement) {
    switch placement {
    case .began(let start):
      let isFirst = assembly.parts.isEmpty && !hasStarted
      let beginsAnew = assembly.begin(start, wanted: wanted)
      if activatesAll { assembly.activate(Array(held.indices)) }
      if beginsAnew, isWorking { drain(before: start.sequence) }
      if isFirst, isWorking { startEncoders() }
      hasStarted = true
    case .frame(let frame):
      assembly.append(frame)
      for rung in held.indices where wanted >> UInt32(rung) & 1 == 1 { held[rung].append(frame) }
    }
  }

  /// Encoders say how they encode.
  func startEncoders() {
    for rung in held.indices {
      for configuration in tracks { assembly.configure(rung, configuration) }
    }
  }

  func drain(before sequence: Int) {
    for rung in held.indices { give(rung) }
    assembly.drained(before: sequence)
    collect()
  }

  /// An encoder gives back what it has.
  func give(_ rung: Int) {
    for frame in held[rung] { assembly.append(rung, frame) }
    held[rung] = []
    collect()
  }

  /// Encoders are killed, and others are given what is unanswered.
  func replaceEncoders() {
    assembly.restart()
    startEncoders()
    for rung in held.indices { held[rung] = assembly.parts.flatMap(\.frames) }
  }

  func publish(_ frames: [Frame]) {
    for frame in frames {
      for segment in packager.append(frame, date: 1_000_000 + frame.dts.milliseconds) {
        segments.append(segment)
        assembly.finish(segment)
      }
      if isWorking { for rung in held.indices { give(rung) } }
      collect()
    }
  }

  func leave() {
    if let segment = packager.interrupt() {
      segments.append(segment)
      assembly.finish(segment)
    }
    assembly.interrupt()
    if isWorking { drain(before: (segments.last?.sequence ?? 0) + 1) }
  }

  private func collect() {
    while let output = assembly.next() { outputs.append(output) }
  }

  func made(_ rung: Int) -> [Segment] { outputs.filter { $0.rung == rung }.map(\.segment) }

  func origins(_ rung: Int) -> [LadderAssembly.Origin] {
    outputs.filter { $0.rung == rung }.map(\.origin)
  }

  /// A rung's segments as a receiver reads them.
  func received(_ rung: Int) -> Received {
    var reader = TransportStreamReader()
    for segment in made(rung) { reader.read(segment.bytes) }
    return Received(
      pictures: reader.packets.filter { $0.pid == 0x100 }.map(\.pts),
      sounds: reader.packets.filter { $0.pid == 0x101 }.flatMap {
        TransportStreamReader.adts($0.data).map(\.frame)
      }, problems: reader.problems)
  }

  struct Received {
    var pictures: [Int64]
    var sounds: [[UInt8]]
    var problems: [String]

    /// Whether each picture of these frames is there once, at its time, and no other.
    func hasPictures(of frames: [Frame]) -> Bool {
      let times = frames.filter { $0.track == .video }.map { $0.pts.ticks + 900_000 }
      return pictures.sorted() == times.sorted()
    }

    func hasSounds(of frames: [Frame]) -> Bool {
      sounds == frames.filter { $0.track == .audio }.map(\.data)
    }
  }
}
