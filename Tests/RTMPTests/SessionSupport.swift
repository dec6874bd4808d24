import Bytes
import RTMP

/// A client and a server that talk in memory, in pieces of a given size.
final class Pair {
  let client: ClientSession
  let server: ServerSession
  var toServer: [UInt8] = []
  var toClient: [UInt8] = []
  var serverEvents: [ServerEvent] = []
  var clientEvents: [ClientEvent] = []
  /// All the client sent, in its order.
  var recorded: [UInt8] = []
  /// What the server's owner does; it accepts everything unless told otherwise.
  var answer: (ServerSession, ServerEvent, inout [UInt8]) -> Void = Pair.accept
  let piece: Int

  init(
    _ configuration: ClientSession.Configuration, limits: Limits = Limits(), piece: Int = 65_536
  ) {
    client = ClientSession(configuration, seed: 1)
    server = ServerSession(limits: limits, seed: 2)
    self.piece = piece
  }

  static func accept(_ server: ServerSession, _ event: ServerEvent, _ output: inout [UInt8]) {
    switch event {
    case .connectRequested: server.acceptConnect(into: &output)
    case .publishRequested(let request): server.acceptPublish(request.streamID, into: &output)
    case .playRequested(let request): server.acceptPlay(request.streamID, into: &output)
    default: break
    }
  }

  func start() throws(ProtocolError) {
    client.start(into: &toServer)
    try pump()
  }

  /// Carries bytes both ways until both are quiet.
  func pump() throws(ProtocolError) {
    while !toServer.isEmpty || !toClient.isEmpty {
      let up = Array(toServer.prefix(piece))
      toServer.removeFirst(up.count)
      recorded += up
      var cursor = ByteCursor()
      while let event = try server.receive(up.span, &cursor, into: &toClient) {
        serverEvents.append(event)
        answer(server, event, &toClient)
      }
      let down = Array(toClient.prefix(piece))
      toClient.removeFirst(down.count)
      cursor = ByteCursor()
      while let event = try client.receive(down.span, &cursor, into: &toServer) {
        clientEvents.append(event)
      }
    }
  }

  func takeServerEvents() -> [ServerEvent] {
    defer { serverEvents = [] }
    return serverEvents
  }

  func takeClientEvents() -> [ClientEvent] {
    defer { clientEvents = [] }
    return clientEvents
  }

  static func publisher(_ name: String = "key?token=t") -> ClientSession.Configuration {
    ClientSession.Configuration(
      .publish, tcUrl: "rtmp://host/live", app: "live", streamName: name)
  }

  static func player(_ name: String = "key") -> ClientSession.Configuration {
    ClientSession.Configuration(
      .play, tcUrl: "rtmp://host/live", app: "live", streamName: name)
  }
}

/// A server fed with messages that a test writes itself, past the handshake.
final class Bench {
  let server: ServerSession
  var writer = ChunkWriter()
  var output: [UInt8] = []
  private var reader = ChunkReader()

  init(limits: Limits = Limits()) throws(ProtocolError) {
    server = ServerSession(limits: limits, seed: 1)
    var start: [UInt8] = []
    ClientHandshake(seed: 1).start(into: &start)
    start += pattern(Handshake.packetBytes)
    _ = try receive(start)
    output = []
  }

  /// One that is connected already.
  static func connected(limits: Limits = Limits()) throws(ProtocolError) -> Bench {
    let bench = try Bench(limits: limits)
    _ = try bench.send(Command("connect", 1, [.object(["app": "live"])]))
    _ = bench.answers()
    return bench
  }

  func receive(_ bytes: [UInt8]) throws(ProtocolError) -> [ServerEvent] {
    var events: [ServerEvent] = []
    var cursor = ByteCursor()
    while let event = try server.receive(bytes.span, &cursor, into: &output) {
      events.append(event)
      Pair.accept(server, event, &output)
    }
    return events
  }

  func send(_ command: Command, stream: UInt32 = 0) throws(ProtocolError) -> [ServerEvent] {
    try send(message(.command, 0, command.payload, stream: stream))
  }

  func send(_ message: Message) throws(ProtocolError) -> [ServerEvent] {
    var bytes: [UInt8] = []
    writer.write(
      message.type, on: 3, streamID: message.streamID, timestamp: message.timestamp,
      payload: message.payload.span, into: &bytes)
    return try receive(bytes)
  }

  /// What the server said since the last look.
  func messages() -> [Message] {
    defer { output = [] }
    return (try? read(output, with: &reader)) ?? []
  }

  /// The commands in it.
  func answers() -> [Command] {
    messages().compactMap { message in
      message.type == .command ? try? Command(message.payload.span, type: .command) : nil
    }
  }

  /// The codes of the statuses in it.
  func codes() -> [String] { answers().compactMap { Status($0.arguments)?.code } }
}
