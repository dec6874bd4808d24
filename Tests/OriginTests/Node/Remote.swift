import Bytes
import EventLoop
import RTMP
import Testing

@testable import Ingest

/// An RTMP client at the other end of a socket, on a loop of its own.
final class Remote: Sendable {
  typealias Purpose = ClientSession.Purpose

  /// What it has seen so far.
  struct State: Sendable {
    var hasStarted = false
    var isOver = false
    /// The status that it was refused or stopped with.
    var refusal: Status?
    var video: [Message] = []
    var audio: [Message] = []
  }

  private let mailbox: LoopMailbox
  private let id: ChannelID

  init(_ purpose: Purpose, name: String, port: UInt16, on mailbox: LoopMailbox) async throws {
    self.mailbox = mailbox
    id = try await mailbox.run { loop in
      try RemoteChannel(purpose, name: name, port: port, on: loop).id
    }
  }

  var state: State {
    get async {
      let id = id
      let found = try? await mailbox.run { loop in
        loop.local(RemoteChannels.self)?.all[id]?.state
      }
      return (found ?? nil) ?? State(isOver: true)
    }
  }

  /// Sends messages.
  func send(_ pieces: [Encoder.Piece]) async {
    await onChannel { channel in
      for piece in pieces { channel.publish(piece.message) }
    }
  }

  /// Unpublishes and closes, as an encoder does that is stopped.
  func leave() async { await onChannel { $0.leave() } }

  /// Closes without a word, as an encoder does that crashes.
  func vanish() async { await onChannel { $0.end(.closedByUs("crash")) } }

  private func onChannel(_ work: @escaping @Sendable (RemoteChannel) -> Void) async {
    let id = id
    _ = try? await mailbox.run { loop in
      if let channel = loop.channel(id) as? RemoteChannel { work(channel) }
    }
  }
}

/// The clients of a loop, those that have ended included.
final class RemoteChannels {
  var all: [ChannelID: RemoteChannel] = [:]
}

final class RemoteChannel: Transport {
  private(set) var state = Remote.State()
  private let session: ClientSession
  private var output: [UInt8] = []

  init(_ purpose: Remote.Purpose, name: String, port: UInt16, on loop: Loop) throws {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
    session = ClientSession(
      ClientSession.Configuration(
        purpose, tcUrl: "rtmp://127.0.0.1/live", app: "live", streamName: name))
    super.init(try Socket.connecting(to: address), peer: address, tls: nil, on: loop)
    try loop.add(self)
    let channels = loop.local(RemoteChannels.self) ?? RemoteChannels()
    loop.setLocal(channels)
    channels.all[id] = self
    session.start(into: &output)
    push()
  }

  func publish(_ message: Message) {
    session.send(
      message.type, timestamp: message.timestamp, payload: message.payload.span, into: &output)
    push()
  }

  func leave() {
    session.close(into: &output)
    push()
    finish("test is done")
  }

  override func received(_ bytes: borrowing Span<UInt8>) {
    var cursor = ByteCursor()
    while let event = try? session.receive(bytes, &cursor, into: &output) {
      switch event {
      case .video(let message): state.video.append(message)
      case .audio(let message): state.audio.append(message)
      case .refused(let status), .ended(let status): state.refusal = status
      default: break
      }
    }
    state.hasStarted = state.hasStarted || session.isStarted
    push()
  }

  override func ended(_ end: End) { state.isOver = true }

  private func push() {
    if !output.isEmpty { send(output) }
    output = []
  }
}
