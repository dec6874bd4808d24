import RTMP
import Testing

@testable import Ingest

@Suite("Media clock") struct MediaClockTests {
  private func clock(_ messages: [(MessageType, UInt32)]) -> MediaClock {
    var clock = MediaClock()
    for (type, timestamp) in messages {
      clock.note(Message(type: type, timestamp: timestamp, payload: [0]))
    }
    return clock
  }

  @Test func `one track alone is never apart`() {
    let clock = clock([(.audio, 20), (.audio, 43)])
    #expect(clock.timestamp == 43)
    #expect(clock.avSync == 0)
  }

  @Test func `sound ahead counts up, sound behind counts down, also around 2^32`() {
    #expect(clock([(.video, 1_000), (.audio, 1_023)]).avSync == 23)
    #expect(clock([(.audio, 1_000), (.video, 1_033)]).avSync == -33)
    #expect(clock([(.video, .max - 9), (.audio, 10)]).avSync == 20)
  }

  @Test func `metadata has no time`() {
    #expect(clock([(.video, 500), (.data, 0)]).timestamp == 500)
  }
}
