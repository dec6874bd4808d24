import RTMP
import Testing

@testable import Ingest

@Suite struct `Program clock` {
  private var clock = ProgramClock()

  private func message(_ role: RelayMessage.Role, _ time: UInt32) -> RelayMessage {
    RelayMessage(role, Message(type: .video, timestamp: time, payload: [0]))
  }

  private mutating func time(_ role: RelayMessage.Role, _ time: UInt32) -> UInt32 {
    clock.restamp(message(role, time)).message.timestamp
  }

  @Test mutating func `the first camera's time is the program's`() {
    clock.begin(500)
    #expect(time(.videoHeader, 400) == 400)
    #expect(time(.keyframe, 400) == 400)
    #expect(time(.video, 500) == 500)
    #expect(time(.metadata, 0) == 0)
  }

  @Test(
    arguments: [(0, 90_000), (7_000, 3), (3, 7_000), (UInt32.max - 10, 5), (5, UInt32.max - 10)]
      as [(UInt32, UInt32)])
  func `the next one goes on where the last one was`(before: UInt32, after: UInt32) {
    var clock = ProgramClock()
    func time(_ role: RelayMessage.Role, _ time: UInt32) -> UInt32 {
      clock.restamp(message(role, time)).message.timestamp
    }
    clock.begin(before)
    #expect(time(.keyframe, before) == before)
    // A camera whose last picture of its running group is two seconds old.
    clock.begin(after)
    #expect(time(.keyframe, after &- 2_000) == before &+ 20 &- 2_000)
    #expect(time(.video, after) == before &+ 20)
    #expect(time(.video, after &+ 40) == before &+ 60)
    #expect(time(.metadata, 0) == 0)
  }

  @Test mutating func `a camera that has sent nothing yet begins right after the last one`() {
    clock.begin(nil)
    #expect(time(.keyframe, 100) == 100)
    clock.begin(nil)
    #expect(time(.keyframe, 5_000) == 120)
    #expect(time(.video, 5_040) == 160)
  }

  @Test mutating func `pictures that are sent late set no clock back`() {
    clock.begin(nil)
    #expect(time(.video, 200) == 200)
    #expect(time(.audio, 150) == 150)
    clock.begin(nil)
    #expect(time(.keyframe, 0) == 220)
  }
}
