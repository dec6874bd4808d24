import Bytes
import RTMP

/// The handshake of a client that wants none: C0, C1 and C2.
private let handshake: [UInt8] = [3] + [UInt8](repeating: 0, count: 2 * Handshake.packetBytes)

/// The input in pieces, with a handshake as the first of them, unless it brings one, as recorded
/// sessions do.
private struct Traffic {
  let bytes: [UInt8]
  /// In one piece after the handshake.
  let whole: [Range<Int>]
  let cut: [Range<Int>]

  init(_ input: [UInt8], _ pieces: inout Pieces) {
    let hasOwn = input.first == 3 && input.count >= handshake.count
    bytes = hasOwn ? input : handshake + input
    let start = hasOwn ? 0 : handshake.count
    let first = start > 0 ? [0..<start] : []
    whole = first + [start..<bytes.count]
    cut =
      first + pieces.ranges(of: input.count).map { $0.lowerBound + start..<$0.upperBound + start }
  }
}

/// A server whose owner lets everybody do everything, and what came of it.
private struct ServerRun {
  var events: [String] = []
  var failure: ProtocolError.Code?

  init(_ input: [UInt8], in pieces: [Range<Int>]) throws(Finding) {
    var limits = Limits()
    limits.memoryBytes = 1 << 20
    limits.messageBytes = 1 << 19
    let server = ServerSession(limits: limits, seed: 1)
    for piece in pieces {
      let bytes = Array(input[piece])
      var cursor = ByteCursor()
      var output: [UInt8] = []
      do throws(ProtocolError) {
        while let event = try server.receive(bytes.span, &cursor, into: &output) {
          events.append(Self.summary(event))
          Self.answer(server, event, into: &output)
        }
      } catch {
        failure = error.code
        return
      }
      try check(cursor.offset == bytes.count, "bytes are left behind without an event")
      try check(server.heldBytes <= limits.memoryBytes, "holds more than the limit")
      // The owner stops reading when this grows; one piece may not fill its memory before it can.
      try check(
        output.count <= 8192 + 64 * bytes.count,
        "\(bytes.count) bytes are answered with \(output.count)")
    }
    var ping: [UInt8] = []
    _ = server.keepAlive(at: 1, into: &ping)
  }

  private static func answer(
    _ server: ServerSession, _ event: ServerEvent, into output: inout [UInt8]
  ) {
    switch event {
    case .connectRequested: server.acceptConnect(into: &output)
    case .publishRequested(let request):
      if request.name.raw.hasPrefix("x") {
        server.rejectPublish(request.streamID, .denied, "No.", into: &output)
      } else {
        server.acceptPublish(request.streamID, into: &output)
      }
    case .playRequested(let request):
      server.acceptPlay(request.streamID, into: &output)
      server.notifyUnpublish(request.streamID, into: &output)
      server.notifyPublish(request.streamID, into: &output)
    default: break
    }
  }

  /// An event in words that compare, which numbers that are none do not.
  private static func summary(_ event: ServerEvent) -> String {
    switch event {
    case .audio(let message): "audio \(message.timestamp) \(digest(message.payload))"
    case .video(let message): "video \(message.timestamp) \(digest(message.payload))"
    case .data(let message): "data \(message.timestamp) \(digest(message.payload))"
    case .connectRequested(let request): "connect \(request.app) \(request.tcUrl)"
    case .publishRequested(let request): "publish \(request.streamID) \(request.name.raw)"
    case .playRequested(let request):
      "play \(request.streamID) \(request.name.raw) \(request.start) \(request.duration)"
    default: "\(event)"
    }
  }
}

/// However a client's bytes are cut, the same happens.
func fuzzServerSession(_ input: [UInt8]) throws(Finding) {
  var pieces = Pieces(for: input)
  let traffic = Traffic(input, &pieces)
  let whole = try ServerRun(traffic.bytes, in: traffic.whole)
  let cut = try ServerRun(traffic.bytes, in: traffic.cut)
  if whole.failure == .memory || cut.failure == .memory {
    try check(zip(whole.events, cut.events).allSatisfy(==), "events differ when cut in pieces")
  } else {
    try check(whole.failure == cut.failure, "the failure differs when cut in pieces")
    try check(whole.events == cut.events, "events differ when cut in pieces")
  }
}

/// A client survives any server, and answers no more than it is asked.
func fuzzClientSession(_ input: [UInt8]) throws(Finding) {
  var pieces = Pieces(for: input)
  let traffic = Traffic(input, &pieces)
  let isPublisher = pieces.number(below: 2) == 0
  let client = ClientSession(
    ClientSession.Configuration(
      isPublisher ? .publish : .play, tcUrl: "rtmp://host/live", app: "live", streamName: "w?t=1"),
    seed: 1)
  var output: [UInt8] = []
  client.start(into: &output)
  for piece in traffic.cut {
    let part = Array(traffic.bytes[piece])
    var cursor = ByteCursor()
    output.removeAll(keepingCapacity: true)
    do throws(ProtocolError) {
      while let event = try client.receive(part.span, &cursor, into: &output) {
        if event == .started, isPublisher {
          client.send(.video, timestamp: 0, payload: part.span, into: &output)
        }
      }
    } catch {
      return
    }
    try check(cursor.offset == part.count, "bytes are left behind without an event")
    try check(output.count <= 8192 + 64 * part.count, "answers with \(output.count) bytes")
  }
  client.close(into: &output)
}
