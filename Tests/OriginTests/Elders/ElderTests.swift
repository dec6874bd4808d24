import Foundation
import HLS
import Media
import Telemetry
import TestSupport
import Testing

@testable import Origin

@Suite struct `Processes before this one` {
  private let key = StreamKey.named("w")
  private let one = ImaginedPublisher(1, token: "one")

  private func other(_ token: String, priority: Int = 0) -> Publisher {
    ImaginedPublisher(.max, token: token, priority: priority).publisher
  }

  @Test func `a stream is left to who may take it over, and to nobody else`() async throws {
    let test = TestRegistry()
    _ = try await test.publish(key, one)
    await #expect(throws: ClaimRefusal.taken) {
      _ = try await test.registry.yield(key, to: other("two"))
    }
    #expect(one.evictions == 0)
    #expect(try await test.registry.yield(key, to: other("one")) != nil)
    #expect(one.evictions == 1)
    #expect(await test.registry.holder(of: key) == nil)
    #expect(test.board.liveCount == 0)
  }

  @Test func `one that waits is left to anybody, and one that isn't there is nothing`()
    async throws
  {
    let test = TestRegistry { $0.afterYield = .zero }
    #expect(try await test.registry.yield(key, to: other("two")) == nil)
    let claim = try await test.publish(key, one)
    await test.registry.release(claim)
    #expect(try await test.registry.yield(key, to: other("two")) != nil)
    // It is gone a while later, without an end for those who watch it.
    while await test.log.closed.isEmpty { await Task.yield() }
    #expect(await test.log.closed == [key])
  }

  @Test func `what one has sent counts when it has ended, and all else no longer`() {
    let tally = ElderTally(MetricRegistry())
    func status(_ process: Int32, _ bytes: UInt64) -> NodeStatus {
      NodeStatus(
        node: "n", version: "1", pid: process, rtmpConnections: 1,
        traffic: TrafficStatus(bytesOut: bytes, bitsOutPerSecond: 8),
        streams: [StreamStatus(wedding: "w\(process)")])
    }
    tally.note([status(1, 10), status(2, 5)])
    #expect(tally.sum.processes == 2)
    #expect(tally.sum.streams == 2)
    tally.note([status(2, 7)])
    #expect(tally.sum.traffic == TrafficStatus(bytesOut: 17, bitsOutPerSecond: 8))
    #expect(tally.sum.streams == 1)
    // One that was only slow to answer counts once.
    tally.note([status(1, 12), status(2, 7)])
    #expect(tally.sum.traffic.bytesOut == 19)
    tally.note([])
    #expect(tally.sum.traffic == TrafficStatus(bytesOut: 19))
    #expect(tally.sum.rtmpConnections == 0)
  }

  @Test func `orders are read as they were written, and what names no stream is none`() throws {
    let orders: [ElderOrder] = [
      .yield(key, token: [1, 2], priority: 3),
      .drop(StreamControl.Selection(kind: .client, clientID: 7)),
      .stopRecording(wedding: "w", camera: "main"), .refreshCameras(wedding: "w"),
    ]
    for order in orders {
      let json = try JSONEncoder().encode(order)
      #expect(try JSONDecoder().decode(ElderOrder.self, from: json) == order)
    }
    let bad = #"{"yield":{"_0":"../main","token":[],"priority":0}}"#
    #expect(throws: DecodingError.self) {
      _ = try JSONDecoder().decode(ElderOrder.self, from: Data(bad.utf8))
    }
  }
}
