import Bytes

// What clients ask. None of it is required except `connect` before a stream, and `publish` or
// `play`; the rest comes in any order or never.
extension ServerSession {
  func command(_ message: Message, into output: inout [UInt8]) throws(ProtocolError) {
    let command = try Command(
      message.payload.span, type: message.type, limits: link.limits.amf)
    switch command.name {
    case "connect": connect(command, into: &output)
    case "createStream": try createStream(command, into: &output)
    case "publish": try publish(command, on: message.streamID)
    case "play", "play2": try play(command, on: message.streamID)
    case "FCPublish":
      usesFCPublish = true
      answer(command, [.null], into: &output)
    case "FCUnpublish":
      unpublish(command)
      answer(command, [.null], into: &output)
      notify("onFCUnpublish", Status(.status, "NetStream.Unpublish.Success", ""), into: &output)
    case "FCSubscribe":
      answer(command, [.null], into: &output)
      notify(
        "onFCSubscribe", Status(.status, "NetStream.Play.Start", "Started playing stream."),
        into: &output)
    case "getStreamLength": answer(command, [.null, 0], into: &output)
    case "releaseStream", "_checkbw", "FCUnsubscribe": answer(command, [.null], into: &output)
    case "deleteStream":
      end(command.argument(1)?.uint32 ?? message.streamID, .deleted, isDeleted: true)
    case "closeStream":
      end(message.streamID, .closed, isDeleted: false)
      answer(command, [.null], into: &output)
    case "pause", "pauseRaw": pause(command, on: message.streamID, into: &output)
    case "seek":
      // Live streams have one position; a player that hears an error gives up.
      status(
        Status(.status, "NetStream.Seek.Notify", "Seeking does nothing on a live stream."),
        on: message.streamID, into: &output)
    case "receiveAudio", "receiveVideo", "setPeerInfo", "_result", "_error", "onStatus": break
    default: refuse(command, into: &output)
    }
  }

  private func connect(_ command: Command, into output: inout [UInt8]) {
    guard connection == nil else { return refuse(command, into: &output) }
    let request = ConnectRequest(command.argument(0)?.object ?? AMFObject())
    connection = request
    connectTransaction = command.transaction
    pending.append(.connectRequested(request))
  }

  private func createStream(
    _ command: Command, into output: inout [UInt8]
  ) throws(ProtocolError) {
    try requireConnect(command)
    guard streams.count < link.limits.streams else {
      let status = Status(
        .error, "NetConnection.Call.Failed", "Too many streams on one connection.")
      return link.send(
        Command("_error", command.transaction, [.null, status.value]), into: &output)
    }
    var id: UInt32 = 1
    while streams.contains(where: { $0.id == id }) { id += 1 }
    streams.append(Stream(id: id))
    answer(command, [.null, .number(Double(id))], into: &output)
  }

  private func publish(_ command: Command, on streamID: UInt32) throws(ProtocolError) {
    try requireConnect(command)
    guard let name = command.argument(1)?.string else {
      throw ProtocolError(.command, "publish without a name")
    }
    let index = try open(streamID)
    streams[index].role = .publishRequested
    endedPublication = nil
    // What it sends while it waits for the answer is media.
    link.reader.memoryBytes = max(
      link.reader.memoryBytes, min(link.limits.memoryBytes, link.limits.unadmittedBytes))
    streams[index].name = name
    let kind = PublishRequest.Kind(rawValue: command.argument(2)?.string ?? "") ?? .live
    pending.append(
      .publishRequested(
        PublishRequest(streamID: streams[index].id, name: StreamName(name), kind: kind)))
  }

  private func play(_ command: Command, on streamID: UInt32) throws(ProtocolError) {
    try requireConnect(command)
    let options = command.argument(1)?.object
    guard let name = command.argument(1)?.string ?? options?["streamName"]?.string else {
      throw ProtocolError(.command, "play without a name")
    }
    let index = try open(streamID)
    // `reset` is a flag or a number; both are seen, and none means yes.
    let reset = command.argument(4)
    let resets = reset?.boolean ?? reset?.number.map { $0 != 0 } ?? true
    streams[index].role = .playRequested
    streams[index].name = name
    streams[index].resetsPlaylist = resets
    pending.append(
      .playRequested(
        PlayRequest(
          streamID: streams[index].id, name: StreamName(name),
          start: command.argument(2)?.number ?? -2, duration: command.argument(3)?.number ?? -1,
          reset: resets)))
  }

  private func pause(
    _ command: Command, on streamID: UInt32, into output: inout [UInt8]
  ) {
    guard role(of: streamID) == .playing else { return }
    let isPaused = command.argument(1)?.boolean ?? true
    pending.append(
      .paused(
        streamID: streamID, isPaused: isPaused, position: command.argument(2)?.uint32 ?? 0))
    status(
      isPaused
        ? Status(.status, "NetStream.Pause.Notify", "Paused.")
        : Status(.status, "NetStream.Unpause.Notify", "Going on."),
      on: streamID, into: &output)
  }

  /// Ends the stream `FCUnpublish` names, or the only one being published.
  private func unpublish(_ command: Command) {
    let publishing = streams.filter(\.isPublished)
    let name = command.argument(1)?.string
    let named = publishing.filter { $0.name == name }
    guard let stream = named.first ?? (publishing.count == 1 ? publishing.first : nil) else {
      return
    }
    end(stream.id, .unpublished, isDeleted: false)
  }

  private func end(_ streamID: UInt32, _ reason: EndReason, isDeleted: Bool) {
    guard let index = streams.firstIndex(where: { $0.id == streamID }) else { return }
    if streams[index].role != .idle {
      pending.append(.streamEnded(streamID: streamID, reason))
    }
    if streams[index].role == .publishing { endedPublication = streamID }
    streams[index] = Stream(id: streamID)
    if isDeleted { streams.remove(at: index) }
  }

  /// The stream to publish or play on; made if the client never asked for it.
  private func open(_ streamID: UInt32) throws(ProtocolError) -> Int {
    if let index = streams.firstIndex(where: { $0.id == streamID }) {
      if streams[index].role != .idle {
        pending.append(.streamEnded(streamID: streamID, .replaced))
        streams[index] = Stream(id: streamID)
      }
      return index
    }
    guard streams.count < link.limits.streams else {
      throw ProtocolError(.streams, "more than \(link.limits.streams) streams")
    }
    streams.append(Stream(id: streamID))
    return streams.count - 1
  }

  private func requireConnect(_ command: Command) throws(ProtocolError) {
    guard connection != nil else {
      throw ProtocolError(.order, "a stream was asked for before connect")
    }
  }

  // MARK: Answers

  private func answer(
    _ command: Command, _ arguments: [AMFValue], into output: inout [UInt8]
  ) {
    guard command.transaction != 0 else { return }
    link.send(Command("_result", command.transaction, arguments), into: &output)
  }

  private func refuse(_ command: Command, into output: inout [UInt8]) {
    guard command.transaction != 0 else { return }
    let status = Status(.error, "NetConnection.Call.Failed", "Method not found.")
    link.send(Command("_error", command.transaction, [.null, status.value]), into: &output)
  }

  func notify(_ name: String, _ status: Status, into output: inout [UInt8]) {
    link.send(Command(name, 0, [.null, status.value]), into: &output)
  }

  func status(_ status: Status, on streamID: UInt32, into output: inout [UInt8]) {
    link.send(Command("onStatus", 0, [.null, status.value]), streamID: streamID, into: &output)
  }
}
