import TestSupport
import Viewers
import HLS
import Ingest
import Logging
import Media
import Store
import Testing

@testable import Origin

@Suite struct `Program, its renditions` {
  private let outlet: StreamOutlet
  private let key = StreamKey.named("w", "program")
  private var renditions: ProgramRenditions
  private var sequencer = ProgramSequencer(WindowState())

  init() {
    outlet = StreamOutlet(
      board: StreamBoard(), relays: RelayDirectory(),
      ledger: StreamLedger(
        store: MemoryStreamNumbers(),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
      errands: Errands())
    renditions = ProgramRenditions(key, configuration: StreamConfiguration(), outlet: outlet)
    _ = sequencer.show("a", last: nil)
  }

  private static let ranks = ["source": 0, "1080p": 1, "720p": 2, "480p": 3]

  /// What a camera has; those in `closed` are not in its publisher's plan.
  private func offers(_ names: [String], first: Int = 0, closed: Set<String> = []) -> [ProgramOffer]
  {
    names.map { name in
      ProgramOffer(
        name: name, rank: Self.ranks[name] ?? 9, first: first,
        viewers: closed.contains(name) ? 0 : 0b111,
        info: VariantInfo(
          bandwidth: 1_000, averageBandwidth: 900, codecs: ["avc1.42C00D"], size: nil,
          frameRate: 30), interest: nil)
    }
  }

  /// A camera's segment of a rendition; its bytes say which.
  private func segment(_ camera: String, _ rendition: String, _ sequence: Int) -> Segment {
    .sample(
      sequence, at: Int64(sequence) * 3_000 + 100_000, bytes: Array("\(camera) \(rendition)".utf8))
  }

  /// A camera has a segment of a rendition.
  private mutating func give(
    _ camera: String, _ rendition: String, _ sequence: Int, _ offers: [String: [ProgramOffer]]
  ) {
    let segment = segment(camera, rendition, sequence)
    renditions.add(segment, rendition: rendition, of: camera)
    if rendition == "source" {
      for slot in sequencer.take(segment, of: camera) { renditions.add(slot, [rendition: segment]) }
    }
    _ = renditions.fill(offers, now: .zero)
  }

  private func shown(_ rendition: String) -> [String] {
    let window = renditions.windows[rendition]
    return window?.segments.map { "\($0.sequence) \(String(decoding: $0.bytes, as: UTF8.self))" }
      ?? []
  }

  @Test mutating func `rungs that another node has shown go on in the first place`() {
    sequencer = ProgramSequencer(WindowState(nextSequence: 70, discontinuitySequence: 3))
    renditions = ProgramRenditions(
      key, configuration: StreamConfiguration(), goesOn: true, outlet: outlet)
    _ = sequencer.show("a", last: nil)
    for sequence in 7...8 { give("a", "source", sequence, ["a": offers(["source"], first: 7)]) }
    let offers = ["a": offers(["source", "720p"], first: 7)]
    for sequence in 7...8 { give("a", "720p", sequence, offers) }
    #expect(shown("720p") == ["70 a 720p", "71 a 720p"])
    #expect(shown("source") == ["70 a source", "71 a source"])
    for name in ["source", "720p"] {
      let segments = renditions.windows[name]?.segments ?? []
      #expect(segments.map(\.isDiscontinuity) == [true, false])
      #expect(segments.last?.discontinuitySequence == 4)
    }
  }

  @Test mutating func `rungs come later, and stand in the same places`() {
    let offers = ["a": offers(["source", "720p"])]
    give("a", "source", 7, offers)
    give("a", "source", 8, offers)
    #expect(shown("source") == ["0 a source", "1 a source"])
    #expect(shown("720p") == [])
    give("a", "720p", 7, offers)
    give("a", "720p", 8, offers)
    #expect(shown("720p") == ["0 a 720p", "1 a 720p"])
    let source = renditions.windows["source"]
    let rung = renditions.windows["720p"]
    #expect(source?.segments.map(\.programDate) == rung?.segments.map(\.programDate))
    #expect(source?.segments.map(\.name) == ["0-tag121000.ts", "1-tag124000.ts"])
  }

  @Test
  mutating func `what the next camera lacks is shown by the next smaller, else the next larger`() {
    let all = [
      "a": offers(["source", "1080p", "720p", "480p"]), "b": offers(["source", "720p"]),
    ]
    for rendition in ["source", "1080p", "720p", "480p"] { give("a", rendition, 7, all) }
    _ = sequencer.show("b", last: nil)
    give("b", "source", 8, all)
    // It waits for the one that stands in.
    #expect(shown("1080p").count == 1)
    give("b", "720p", 8, all)
    #expect(shown("source").last == "1 b source")
    #expect(shown("1080p").last == "1 b 720p")
    #expect(shown("720p").last == "1 b 720p")
    #expect(shown("480p").last == "1 b 720p")
    #expect(renditions.substituted == 2)
  }

  @Test mutating func `what is not in the next camera's plan is not shown to anybody`() {
    let all = [
      "a": offers(["source", "480p"]), "b": offers(["source", "480p"], closed: ["source"]),
    ]
    for rendition in ["source", "480p"] { give("a", rendition, 7, all) }
    _ = sequencer.show("b", last: nil)
    give("b", "source", 8, all)
    #expect(shown("source").count == 1)
    give("b", "480p", 8, all)
    #expect(shown("source").last == "1 b 480p")
  }

  @Test mutating func `a rung that a camera has later begins later`() {
    give("a", "source", 7, ["a": offers(["source"])])
    let later = ["a": offers(["source"]) + offers(["720p"], first: 8)]
    give("a", "source", 8, later)
    give("a", "720p", 8, later)
    #expect(shown("source").count == 2)
    #expect(shown("720p") == ["1 a 720p"])
  }

  @Test mutating func `a rung that never comes is not waited for for ever`() {
    let all = ["a": offers(["source", "720p"])]
    for number in 0...6 { give("a", "source", number, all) }
    #expect(shown("720p") == ["0 a source"])
    give("a", "source", 7, all)
    #expect(shown("720p").count == 2)
    give("a", "720p", 2, all)
    #expect(shown("720p").last == "2 a 720p")
  }

  @Test mutating func `an encrypted segment keeps its key, and names its own vector`() {
    let sealed = Segment.sample(
      7, at: 100_000, key: SegmentKey(uri: "/api/streams/keys/w/k.key"), bytes: [1])
    for slot in sequencer.take(sealed, of: "a") { renditions.add(slot, ["source": sealed]) }
    _ = renditions.fill(["a": offers(["source"])], now: .zero)
    let window = renditions.windows["source"]
    #expect(
      window?.segments.map(\.key) == [SegmentKey(uri: "/api/streams/keys/w/k.key", vector: 7)])
    let text = String(decoding: window?.playlist?.text.plain ?? [], as: UTF8.self)
    #expect(
      text.contains(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"/api/streams/keys/w/k.key\","
          + "IV=0x00000000000000000000000000000007\n"))
  }

  @Test mutating func `it goes on from a camera's own playlists, rungs that are behind too`() {
    var source = Rendition(
      "source", of: key, window: .init(), state: WindowState(nextSequence: 5), outlet: outlet)
    var rung = Rendition(
      "720p", of: key, window: .init(), state: WindowState(nextSequence: 5), outlet: outlet)
    for number in 5...7 { _ = source.append(segment("main", "source", number), now: .zero) }
    _ = rung.append(segment("main", "720p", 5), now: .zero)
    let seed = ProgramSeed(
      camera: "main", isLive: true, broadcast: Broadcast(began: 0, last: 0), source: source,
      rungs: [rung],
      offers: offers(["source", "720p"], first: 5))
    renditions.begin(with: seed)
    sequencer = ProgramSequencer(source.window.state, goingOnFrom: "main")
    let all = ["main": seed.offers]
    #expect(shown("source").count == 3)
    give("main", "720p", 5, all)
    give("main", "720p", 6, all)
    #expect(shown("720p") == ["5 main 720p", "6 main 720p"])
    give("main", "source", 7, all)
    give("main", "source", 8, all)
    give("main", "720p", 7, all)
    give("main", "720p", 8, all)
    #expect(shown("source").map { $0.prefix(1) } == ["5", "6", "7", "8"])
    #expect(shown("720p").map { $0.prefix(1) } == ["5", "6", "7", "8"])
    let window = renditions.windows["source"]
    #expect(window?.segments.contains { $0.isDiscontinuity } == false)
    #expect(window?.segments.first?.name == "5-tag115000.ts")
  }
}
