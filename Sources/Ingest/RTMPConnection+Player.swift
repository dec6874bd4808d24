import EventLoop
import RTMP
import Telemetry

// What a player asks of its connection.
extension RTMPConnection {
  var sendChunkSize: Int { session.sendChunkSize }

  func sendMessage(_ message: Message, streamID: UInt32) {
    answer {
      session.send(
        message.type, streamID: streamID, timestamp: message.timestamp,
        payload: message.payload.span, into: &$0)
    }
  }

  func notify(_ streamID: UInt32, isPublished: Bool) {
    answer {
      if isPublished {
        session.notifyPublish(streamID, into: &$0)
      } else {
        session.notifyUnpublish(streamID, into: &$0)
      }
    }
  }

  var playerQueueBytes: Int { server.configuration.playerQueueBytes }

  func countDrop() {
    dropCount += 1
    server.metrics.playerDrops.increment()
  }
}
