import ControlAPI
import Telemetry
import TestSupport
import Testing

@testable import Origin

@Suite struct `The API's view of the origin's streams` {
  @Test(arguments: [StreamStatus.State.live, .waiting, .ended])
  func `when a stream went live stays the same, whatever becomes of it`(
    state: StreamStatus.State
  ) async throws {
    let node = try await TestNode()
    let collector = StatusCollector(
      identity: .init(node: "n", region: "r", version: "1", cipher: "openssl"), node: node.node,
      loops: node.mailboxes, metrics: MetricRegistry())
    node.node.board.set(
      StreamStatus(
        wedding: "w", state: state, startedAtMilliseconds: 1_795_818_841_900,
        timeMilliseconds: 5_000, playlist: PlaylistStatus(mediaSequence: 0, segments: 1)))
    let streams = OriginStreams(
      board: node.node.board, programs: node.node.programs, collector: collector)
    let info = try #require(await streams.stream(wedding: "w", camera: "main"))
    #expect(info.started == 1_795_818_841)
    #expect(info.isLive == (state != .ended))
  }

  /// The API's view of a node whose process before has something.
  private func streams(_ node: TestNode, _ elder: NodeStatus) -> OriginStreams {
    let hands = ElderHands(
      tally: ElderTally(MetricRegistry()), statuses: { [elder] }, processes: { [] })
    let collector = StatusCollector(
      identity: .init(node: "n", region: "r", version: "1", cipher: "openssl"), node: node.node,
      loops: node.mailboxes, metrics: MetricRegistry(), elders: hands)
    return OriginStreams(
      board: node.node.board, programs: node.node.programs, collector: collector)
  }

  private func status(
    _ state: StreamStatus.State, _ camera: String = "main", segments: Int = 3
  ) -> StreamStatus {
    StreamStatus(
      wedding: "w", camera: camera, state: state, startedAtMilliseconds: 5_000,
      playlist: PlaylistStatus(mediaSequence: 0, segments: segments),
      renditions: NodeStatus.sample.streams[0].renditions)
  }

  private func elder(
    _ streams: [StreamStatus], _ programs: [ProgramSummary] = []
  ) -> NodeStatus {
    NodeStatus(node: "n", version: "1", pid: 1, streams: streams, programs: programs)
  }

  @Test(arguments: ["main", "program"])
  func `a stream without a segment here is what the process before has of it`(
    camera: String
  ) async throws {
    let node = try await TestNode()
    let api = streams(node, elder([status(.ended)]))
    #expect(await api.stream(wedding: "w", camera: camera)?.isLive == false)
    // Its publisher has come here.
    node.node.board.set(StreamStatus(wedding: "w", startedAtMilliseconds: 9_000))
    let info = try #require(await api.stream(wedding: "w", camera: camera))
    #expect(info.isLive)
    #expect(info.started == 5)
    #expect(info.qualities.map(\.name) == ["source", "720p"])
    // And has gone again, before it had anything to show.
    node.node.board.end(.named("w"))
    #expect(await api.stream(wedding: "w", camera: camera)?.isLive == false)
    // What is here comes first.
    node.node.board.set(
      StreamStatus(
        wedding: "w", startedAtMilliseconds: 9_000,
        playlist: PlaylistStatus(mediaSequence: 3, segments: 1)))
    let own = try #require(await api.stream(wedding: "w", camera: camera))
    #expect(own.isLive)
    #expect(own.started == 9)
    #expect(own.qualities.isEmpty)
  }

  @Test func `nothing has been made of a stream here or there`() async throws {
    let node = try await TestNode()
    node.node.board.set(StreamStatus(wedding: "w"))
    #expect(
      await streams(node, elder([status(.live, segments: 0)])).stream(
        wedding: "w", camera: "main") == nil)
    #expect(await streams(node, elder([])).stream(wedding: "w", camera: "main") == nil)
  }

  @Test func `a stream is live while its publisher is on the way here`() async throws {
    let node = try await TestNode()
    let api = streams(node, elder([status(.ended)]))
    node.node.admissions.begin(.named("w"))
    #expect(await api.stream(wedding: "w", camera: "main")?.isLive == true)
    node.node.admissions.end(.named("w"))
    #expect(await api.stream(wedding: "w", camera: "main")?.isLive == false)
  }

  @Test func `a program that has shown nothing here is what the process before shows`()
    async throws
  {
    let node = try await TestNode()
    let program = ProgramSummary(wedding: "w", camera: "c1", segments: 3)
    let api = streams(node, elder([status(.live, "c1")], [program]))
    let before = try #require(await api.stream(wedding: "w", camera: "program"))
    #expect(before.isLive)
    #expect(before.qualities.map(\.name) == ["source", "720p"])
    #expect(before.started == 5)
    var told = program
    told.startedAtMilliseconds = 3_000
    let since = streams(node, elder([status(.live, "c1")], [told]))
    #expect(await since.stream(wedding: "w", camera: "program")?.started == 3)
    node.node.programs.open("w")
    node.node.programs.set(ProgramStatus(isLive: true), of: "w")
    #expect(await api.stream(wedding: "w", camera: "program") == before)
    node.node.programs.set(
      ProgramStatus(isLive: true, startedAtMilliseconds: 7_000, segments: 1), of: "w")
    let own = try #require(await api.stream(wedding: "w", camera: "program"))
    #expect(own.started == 7)
    // What it has shown is stale where its camera has ended.
    let ended = streams(node, elder([status(.ended, "c1")], [program]))
    node.node.programs.set(ProgramStatus(), of: "w")
    #expect(await ended.stream(wedding: "w", camera: "program") == nil)
  }
}
