import HLS
import Media
import Synchronization
import TestSupport
import Testing

@testable import Origin

@Suite struct `Live stream of a cluster` {
  private final class Told: Sendable {
    private let said = Mutex<(cluster: [StreamLeasing.Progress], relay: [StreamLeasing.Progress])>(
      ([], []))

    var leasing: StreamLeasing {
      StreamLeasing(
        acquire: { _, _ in .granted(after: nil) }, release: { _, _ in true },
        publish: { _, progress in self.said.withLock { $0.cluster.append(progress) } })
    }
    var cluster: [StreamLeasing.Progress] { said.withLock { $0.cluster } }
    var relay: [StreamLeasing.Progress] { said.withLock { $0.relay } }

    func toRelay(_ progress: StreamLeasing.Progress) {
      said.withLock { $0.relay.append(progress) }
    }
  }

  @Test func `its relay keeps what was announced last, and the next node makes that once more`()
    async throws
  {
    let told = Told()
    let encoder = Encoder()
    let first = try TestStream(leasing: told.leasing)
    first.stream.begin(onProgress: { told.toRelay($0) }) { _ in }
    first.feed(encoder.headers + encoder.messages(seconds: 13))
    #expect(first.playlist?.entries.map(\.duration) == [3, 3, 3, 3])
    #expect(await eventually { told.cluster.count == 4 && told.relay.count == 4 })
    // One segment less: edges may not have the last one.
    let cluster = told.cluster.max { $0.state.nextSequence < $1.state.nextSequence }
    let relay = told.relay.max { $0.state.nextSequence < $1.state.nextSequence }
    #expect(cluster?.state.nextSequence == 4)
    #expect(cluster?.publisherEnd == MediaTime(milliseconds: 12_000))
    #expect(relay?.state.nextSequence == 3)
    #expect(relay?.publisherEnd == MediaTime(milliseconds: 9_000))
    // The date of what was announced last goes ahead of that, from the first segment on.
    #expect(told.relay.map(\.state.nextSequence).sorted() == [0, 1, 2, 3])
    for each in told.relay {
      let newest = told.cluster.first { $0.state.nextSequence == each.state.nextSequence + 1 }
      #expect(each.publisherDate?.time == newest?.publisherEnd)
      #expect(each.publisherDate?.date == newest?.state.endDate)
      #expect(each.publisherDate != nil)
    }

    let state = try #require(relay?.state)
    let inherited = StreamLeasing.Progress(
      state: WindowState(nextSequence: 3, discontinuitySequence: state.discontinuitySequence),
      publisherEnd: nil, nextEnd: cluster?.publisherEnd)
    let second = try TestStream(state: inherited.state)
    second.stream.begin(after: inherited) { _ in }
    second.feed(encoder.headers + encoder.messages(from: 9, seconds: 7))
    let playlist = try #require(second.playlist)
    #expect(playlist.mediaSequence == 3)
    #expect(playlist.entries.map(\.duration) == [3, 3])
    #expect(playlist.entries.map(\.isDiscontinuity) == [true, false])
  }

  @Test func `a stream that goes on by itself makes nothing twice`() throws {
    let encoder = Encoder()
    let test = try TestStream()
    test.begin()
    test.feed(encoder.headers + encoder.messages(seconds: 7))
    test.stream.interrupt()
    let inherited = StreamLeasing.Progress(
      state: WindowState(nextSequence: 1), publisherEnd: nil,
      nextEnd: MediaTime(milliseconds: 5_000))
    test.stream.begin(after: inherited) { _ in }
    test.feed(encoder.headers + encoder.messages(seconds: 7))
    #expect(test.playlist?.entries.map { $0.duration.rounded() } == [3, 3, 1, 3, 3])
  }
}
