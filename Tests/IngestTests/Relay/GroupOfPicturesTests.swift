import RTMP
import Testing

@testable import Ingest

@Suite struct `Group of pictures` {
  private func message(_ role: RelayMessage.Role, _ bytes: Int) -> RelayMessage {
    RelayMessage(role, Message(type: .video, payload: [UInt8](repeating: 0, count: bytes)))
  }

  @Test func `a group that outgrows its limit waits for the next keyframe`() {
    var group = GroupOfPictures(limitBytes: 10_000)
    group.append(message(.keyframe, 5_000))
    group.append(message(.video, 4_000))
    #expect(group.start.count == 2)
    group.append(message(.video, 4_000))
    #expect(group.start.isEmpty)
    group.append(message(.video, 1))
    #expect(group.start.isEmpty)
    group.append(message(.keyframe, 5_000))
    #expect(group.start.count == 1)
  }

  @Test func `empty messages are not kept without end`() {
    var group = GroupOfPictures(limitBytes: 10_000)
    group.append(message(.keyframe, 1))
    var most = 0
    for _ in 0..<1_000 {
      group.append(message(.video, 0))
      most = max(most, group.start.count)
    }
    #expect(most <= 100)
  }
}
