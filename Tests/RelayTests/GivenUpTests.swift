import EventLoop
import Ingest
import RTMP
import Telemetry
import Testing

@testable import Relay

@Suite struct `Relay that finds no origin` {
  @Test func `a publisher for whom there is no origin is closed after a while, told why`() throws {
    var configuration = RelayConfiguration()
    configuration.giveUpAfter = .milliseconds(1_200)
    configuration.firstBackoff = .milliseconds(5)
    configuration.lastBackoff = .milliseconds(50)
    let rig = try RelayRig(configuration)
    let first = try rig.origin("o1")
    let encoder = try rig.publish(to: first)
    first.die()
    #expect(rig.turns { encoder.end != nil && rig.isEmpty })
    guard case .ended(let status) = encoder.end else {
      return #expect(Bool(false), "\(String(describing: encoder.end))")
    }
    #expect(status.code == "NetStream.Publish.Failed")
    #expect(status.text == "its server was lost, and no other one takes the stream")
    #expect(rig.metrics.givenUp.value == 1)
    // It asked again and again, with the lost one when there was no other.
    #expect(rig.questions.count > 2)
    #expect(rig.questions.contains([]) && rig.questions.contains(["o1"]))
  }

  @Test func `a new publisher for whom there is no origin is refused`() throws {
    var configuration = RelayConfiguration()
    configuration.admitWithin = .milliseconds(300)
    let rig = try RelayRig(configuration)
    let encoder = try rig.encoder()
    #expect(rig.turns { encoder.end != nil && rig.isEmpty })
    guard case .refused(let status) = encoder.end else {
      return #expect(Bool(false), "\(String(describing: encoder.end))")
    }
    #expect(status.text == "no origin takes the stream now")
  }

  @Test func `a stream that every origin dies of is given up`() throws {
    var configuration = RelayConfiguration()
    configuration.lossesPerOutage = 3
    let rig = try RelayRig(configuration)
    var origins = try (0..<8).map { try rig.origin("o\($0)") }
    let encoder = try rig.encoder()
    #expect(
      rig.turns {
        if let index = origins.firstIndex(where: { !$0.takes.isEmpty }) {
          origins.remove(at: index).die()
        }
        return encoder.end != nil && rig.isEmpty
      })
    #expect(origins.count == 4)
    #expect(rig.metrics.givenUp.value == 1)
  }

  @Test func `a stream whose publisher left is given up when no origin comes`() throws {
    var configuration = RelayConfiguration()
    configuration.leaveWithin = .milliseconds(300)
    let rig = try RelayRig(configuration)
    let first = try rig.origin("o1")
    let encoder = try rig.publish(to: first)
    first.die()
    encoder.leave()
    #expect(rig.turns { rig.isEmpty })
    #expect(rig.notices.last?.kind == .cutShort)
  }
}
