import ControlAPI
import Telemetry
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
}
