import RTMP
import Telemetry
import Testing

@testable import Ingest

@Suite struct `Relay group` {
  private func message(_ role: RelayMessage.Role, _ timestamp: UInt32) -> RelayMessage {
    let type: MessageType =
      switch role {
      case .audio, .audioHeader: .audio
      case .metadata, .data: .data
      case .videoHeader, .keyframe, .video: .video
      }
    return RelayMessage(
      role, Message(type: type, timestamp: timestamp, payload: [UInt8](repeating: 7, count: 999)))
  }

  private func addresses(_ group: RelayGroup) -> [Int] {
    group.start.filter { !$0.role.isHeader }.map { message in
      unsafe message.image.bytes.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
    }
  }

  @Test func `all players that come later share the bytes of the group`() {
    let group = RelayGroup(IngestConfiguration())
    group.deliver(.start([message(.videoHeader, 0), message(.keyframe, 0), message(.video, 40)]))
    group.deliver(.messages([message(.audio, 50), message(.video, 80)]))
    let first = addresses(group)
    #expect(first.count == 4)
    #expect(addresses(group) == first)
    #expect(group.start.map(\.role) == [.videoHeader, .keyframe, .video, .audio, .video])
  }

  @Test func `cue points and captions are not kept for later players`() {
    let group = RelayGroup(IngestConfiguration())
    group.deliver(.start([message(.metadata, 0), message(.videoHeader, 0), message(.keyframe, 0)]))
    group.deliver(.messages([message(.data, 10), message(.video, 40)]))
    #expect(group.start.map(\.role) == [.metadata, .videoHeader, .keyframe, .video])
  }

  @Test func `counts begin with the stream, once however often it starts`() {
    var asked = 0
    let group = RelayGroup(
      IngestConfiguration(),
      count: {
        asked += 1
        return PlayerCount(Tally(), keeper: Tally())
      })
    #expect(asked == 0)
    group.deliver(.messages([message(.audio, 0)]))
    #expect(asked == 0)
    for _ in 0..<2 {
      group.deliver(.start([message(.videoHeader, 0), message(.keyframe, 0)]))
      #expect(asked == 1)
    }
  }
}
