import Bytes
import EventLoop
import Ingest
import RTMP
import TLS
import Testing

/// A publisher on the test's own loop, and what it has sent.
final class TestEncoder {
  private(set) var events: [ForwardingClient.Event] = []
  private(set) var sent: [Message] = []
  private(set) var client: ForwardingClient?

  init(
    _ name: String, port: UInt16, on loop: Loop, preamble: [UInt8] = [], context: TLSContext? = nil
  ) throws {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
    let session = ClientSession(
      ClientSession.Configuration(
        .publish, tcUrl: "rtmp://edge.example/live", app: "live", streamName: name))
    var timeouts = RTMPClient.Timeouts()
    timeouts.linger = .seconds(30)
    weak var me: TestEncoder?
    let client = ForwardingClient(
      try Socket.connecting(to: address), on: loop, session: session,
      tls: context.flatMap {
        TLSSession(client: $0, serverName: "localhost", buffers: TLSBuffers(keep: 1))
      },
      timeouts: timeouts, silence: .seconds(3600), preamble: preamble
    ) { me?.events.append($0) }
    self.client = client
    me = self
    try loop.add(client)
    client.begin()
  }

  var isStarted: Bool { events.contains(.started) }
  var end: ClientEnd? {
    for case .ended(let end) in events { return end }
    return nil
  }
  /// What its socket hasn't taken.
  var waitingBytes: Int { client?.waitingBytes ?? 0 }

  func send(_ type: MessageType, _ timestamp: UInt32, _ payload: [UInt8]) {
    // As it comes out of a server: on the publisher's stream.
    sent.append(Message(type: type, streamID: 1, timestamp: timestamp, payload: payload))
    client?.forward(type, timestamp: timestamp, payload: payload)
  }

  func leave() { client?.finish() }

  // MARK: A stream of H.264 and AAC in name; nobody decodes it.

  static let metadata: [UInt8] = [0x02, 0x00, 0x0A] + Array("onMetaData".utf8) + [0x05]
  static let videoHeader: [UInt8] = [0x17, 0, 0, 0, 0, 1, 2, 3]
  static let audioHeader: [UInt8] = [0xAF, 0, 0x11, 0x90]

  static func keyframe(_ count: Int, _ salt: UInt8) -> [UInt8] {
    [0x17, 1, 0, 0, 0] + [UInt8](repeating: salt, count: count)
  }
  static func picture(_ count: Int, _ salt: UInt8) -> [UInt8] {
    [0x27, 1, 0, 0, 0] + [UInt8](repeating: salt, count: count)
  }
  static func sound(_ count: Int, _ salt: UInt8) -> [UInt8] {
    [0xAF, 1] + [UInt8](repeating: salt, count: count)
  }

  func sendHeaders() {
    send(.data, 0, Self.metadata)
    send(.video, 0, Self.videoHeader)
    send(.audio, 0, Self.audioHeader)
  }

  /// Sends pictures of 40 ms with a sound each, a keyframe every `group`.
  func sendPictures(_ range: Range<Int>, group: Int = 10, bytes: Int = 3_000) {
    for index in range {
      let salt = UInt8(truncatingIfNeeded: index)
      let time = UInt32(index * 40)
      let isKey = index % group == 0
      send(
        .video, time, isKey ? Self.keyframe(bytes * 3, salt) : Self.picture(bytes, salt))
      send(.audio, time + 20, Self.sound(200 + index % 7, salt))
    }
  }
}
