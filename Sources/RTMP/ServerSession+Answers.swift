import Bytes

// What the owner of a session answers and says. Calls that fit no request do nothing.
extension ServerSession {
  /// Lets the client in.
  ///
  /// - Parameters:
  ///   - capabilities: what of Enhanced RTMP we know; what the client knows too is echoed.
  ///   - output: where the bytes go.
  package func acceptConnect(
    _ capabilities: EnhancedCapabilities = .server, into output: inout [UInt8]
  ) {
    guard let transaction = connectTransaction, let connection else { return }
    connectTransaction = nil
    let common = capabilities.common(with: connection.enhanced)
    enhanced = common
    link.writer.control(.windowAcknowledgementSize, link.limits.windowBytes, into: &output)
    var bandwidth: [UInt8] = []
    bandwidth.append(u32: link.limits.windowBytes)
    bandwidth.append(2)  // dynamic
    link.writer.write(
      .setPeerBandwidth, on: ChunkStreamID.control, payload: bandwidth.span, into: &output)
    link.writer.setChunkSize(link.limits.sendChunkSizeBytes, into: &output)
    var properties: AMFObject = [
      "fmsVer": "FMS/3,5,7,7009", "capabilities": 31, "mode": 1,
    ]
    var status = Status(.status, "NetConnection.Connect.Success", "Connection succeeded.")
    status.more.append("objectEncoding", .number(connection.objectEncoding))
    common.append(to: &properties)
    common.append(to: &status.more)
    link.send(
      Command("_result", transaction, [.object(properties), status.value]), into: &output)
  }

  /// Turns the client away; close once it is sent.
  ///
  /// - Parameters:
  ///   - code: `NetConnection.Connect.Rejected`, `NetConnection.Connect.InvalidApp` …
  ///   - description: for a person; no secrets.
  ///   - redirect: another address to connect to, which many clients follow.
  ///   - output: where the bytes go.
  package func rejectConnect(
    code: String = "NetConnection.Connect.Rejected", _ description: String,
    redirect: String? = nil, into output: inout [UInt8]
  ) {
    guard let transaction = connectTransaction else { return }
    connectTransaction = nil
    var status = Status(.error, code, description)
    if let redirect {
      status.more.append("ex", .object(["code": 302, "redirect": .string(redirect)]))
    }
    link.send(Command("_error", transaction, [.null, status.value]), into: &output)
  }

  /// Lets the client publish.
  ///
  /// - Parameters:
  ///   - streamID: the stream.
  ///   - progress: how far viewers have what goes on here; for a relay, which begins behind it.
  ///   - grant: under which this server has it, for a relay; nil without a cluster.
  ///   - output: where the bytes go.
  package func acceptPublish(
    _ streamID: UInt32, after progress: RelayProgress? = nil, under grant: StreamGrant? = nil,
    into output: inout [UInt8]
  ) {
    guard change(streamID, from: .publishRequested, to: .publishing) != nil else { return }
    link.reader.memoryBytes = link.limits.memoryBytes
    var started = Status(.status, "NetStream.Publish.Start", "Publishing has started.")
    if usesFCPublish { notify("onFCPublish", started, into: &output) }
    link.writer.userControl(UserControl.streamBegin, streamID, into: &output)
    progress?.append(to: &started.more)
    grant?.append(to: &started.more)
    status(started, on: streamID, into: &output)
  }

  /// Why a client may not publish.
  package enum PublishRefusal: String, Sendable {
    /// Wrong, expired or missing token.
    case denied = "NetStream.Publish.Denied"
    /// Somebody else publishes under that name, or there is no such name.
    case badName = "NetStream.Publish.BadName"
    /// Something on our side.
    case failed = "NetStream.Publish.Failed"
  }

  /// Refuses to let the client publish, or stops it; what it sends from here on is not delivered.
  ///
  /// - Parameters:
  ///   - streamID: the stream.
  ///   - refusal: the code it gets.
  ///   - description: for a person; no secrets.
  ///   - cause: for a relay; nil where the code says all.
  ///   - output: where the bytes go.
  package func rejectPublish(
    _ streamID: UInt32, _ refusal: PublishRefusal, _ description: String,
    for cause: PublishEndCause? = nil, into output: inout [UInt8]
  ) {
    guard
      change(streamID, from: .publishRequested, to: .idle) != nil
        || change(streamID, from: .publishing, to: .idle) != nil
    else { return }
    var rejection = Status(.error, refusal.rawValue, description)
    if let cause { rejection.more.append(PublishEndCause.name, .string(cause.rawValue)) }
    status(rejection, on: streamID, into: &output)
  }

  /// Lets the client play; media may follow at once.
  package func acceptPlay(_ streamID: UInt32, into output: inout [UInt8]) {
    guard let stream = change(streamID, from: .playRequested, to: .playing) else { return }
    // A player sends commands alone, however long it stays.
    if !streams.contains(where: \.isPublished) {
      link.reader.memoryBytes = min(link.limits.memoryBytes, link.limits.strangerBytes)
    }
    link.writer.userControl(UserControl.streamBegin, streamID, into: &output)
    if stream.resetsPlaylist {
      status(Status(.status, "NetStream.Play.Reset", "Reset."), on: streamID, into: &output)
    }
    status(
      Status(.status, "NetStream.Play.Start", "Playing has started."), on: streamID,
      into: &output)
  }

  /// Why a client may not play.
  package enum PlayRefusal: String, Sendable {
    case notFound = "NetStream.Play.StreamNotFound"
    /// Wrong, expired or missing token, or something on our side.
    case failed = "NetStream.Play.Failed"
  }

  /// Refuses to let the client play, or stops it.
  ///
  /// - Parameters:
  ///   - streamID: the stream.
  ///   - refusal: the code it gets.
  ///   - description: for a person; no secrets.
  ///   - output: where the bytes go.
  package func rejectPlay(
    _ streamID: UInt32, _ refusal: PlayRefusal, _ description: String,
    into output: inout [UInt8]
  ) {
    guard
      change(streamID, from: .playRequested, to: .idle) != nil
        || change(streamID, from: .playing, to: .idle) != nil
    else { return }
    status(Status(.error, refusal.rawValue, description), on: streamID, into: &output)
  }

  /// Tells a player that the stream has ended; it may wait for it to come back.
  package func notifyUnpublish(_ streamID: UInt32, into output: inout [UInt8]) {
    guard role(of: streamID) == .playing else { return }
    link.writer.userControl(UserControl.streamEOF, streamID, into: &output)
    status(
      Status(.status, "NetStream.Play.UnpublishNotify", "The stream has ended."), on: streamID,
      into: &output)
  }

  /// Tells a waiting player that the stream is there again.
  package func notifyPublish(_ streamID: UInt32, into output: inout [UInt8]) {
    guard role(of: streamID) == .playing else { return }
    link.writer.userControl(UserControl.streamBegin, streamID, into: &output)
    status(
      Status(.status, "NetStream.Play.PublishNotify", "The stream is there."), on: streamID,
      into: &output)
  }

  /// Asks the client to connect again, elsewhere if an address is given; go on until it leaves.
  ///
  /// - Returns: false: the client never said it could, nothing was sent.
  @discardableResult
  package func requestReconnect(
    to tcUrl: String?, _ description: String, into output: inout [UInt8]
  ) -> Bool {
    guard enhanced?.extensions.contains(.reconnect) == true else { return false }
    notify("onStatus", .reconnect(to: tcUrl, description), into: &output)
    return true
  }

  /// Tells a relay how far viewers have the stream that it publishes, or has just ended: what it
  /// sent last is announced after that.
  ///
  /// - Parameters:
  ///   - progress: how far.
  ///   - grant: under which this server has it; nil without a cluster.
  ///   - streamID: the stream; nothing is told of another one.
  ///   - output: where the bytes go.
  package func notifyProgress(
    _ progress: RelayProgress, under grant: StreamGrant? = nil, of streamID: UInt32,
    into output: inout [UInt8]
  ) {
    guard role(of: streamID) == .publishing || endedPublication == streamID else { return }
    status(progress.status(grant), on: streamID, into: &output)
  }

  private func change(_ streamID: UInt32, from: Role, to role: Role) -> Stream? {
    guard let index = streams.firstIndex(where: { $0.id == streamID && $0.role == from }) else {
      return nil
    }
    streams[index].role = role
    return streams[index]
  }
}
