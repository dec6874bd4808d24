import Bytes

/// What both sessions share once the handshake is done: chunks both ways, acknowledgements, pings.
struct Link {
  var reader: ChunkReader
  var writer = ChunkWriter()
  let limits: Limits
  /// All bytes received, the handshake's included.
  private(set) var received: UInt64 = 0
  private var acknowledged: UInt64 = 0
  /// How much of what was sent the peer has acknowledged to have read, the handshake included; what
  /// it says is not to be relied on beyond its own stream.
  private(set) var peerRead: UInt64 = 0
  /// Answers to pings.
  private(set) var pongs: UInt64 = 0
  private var acknowledgeEvery: UInt64
  /// The window the peer last asked of us; told back once, as the specification wants.
  private var window: UInt32 = 0
  private var heardAt: UInt64 = 0
  private var heardBytes: UInt64 = .max
  private var pingedAt: UInt64?

  init(limits: Limits) {
    self.limits = limits
    reader = ChunkReader(limits: limits)
    acknowledgeEvery = UInt64(max(1, limits.acknowledgeEveryBytes))
  }

  /// Counts bytes that were read.
  mutating func count(_ bytes: Int) { received += UInt64(bytes) }

  /// Acknowledges what was received when it is time: at most once per piece received, so that a
  /// tiny window does not buy the peer an answer per message.
  private mutating func acknowledge(into output: inout [UInt8]) {
    guard received - acknowledged >= acknowledgeEvery else { return }
    acknowledged = received
    writer.control(.acknowledgement, UInt32(truncatingIfNeeded: received), into: &output)
  }

  /// Reads the next message that is not about the link itself.
  mutating func next(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, into output: inout [UInt8]
  ) throws(ProtocolError) -> Message? {
    while true {
      let start = cursor.offset
      let message = try reader.next(bytes, &cursor)
      count(cursor.offset - start)
      guard let message else {
        acknowledge(into: &output)
        return nil
      }
      switch message.type {
      case .acknowledgement:
        // 32 bits of it, which wrap; one that goes back is none, and neither is one that is cut
        // short: it asks for nothing.
        guard let read = try? number(message) else { continue }
        let ahead = read &- UInt32(truncatingIfNeeded: peerRead)
        if Int32(bitPattern: ahead) > 0 { peerRead += UInt64(ahead) }
      case .windowAcknowledgementSize:
        let size = try number(message)
        // Acknowledge as often as the peer wants, and never more seldom than ourselves.
        if size > 0 { acknowledgeEvery = min(acknowledgeEvery, UInt64(size)) }
      case .setPeerBandwidth:
        let size = try number(message)
        if size != window {
          window = size
          writer.control(.windowAcknowledgementSize, size, into: &output)
        }
      case .userControl:
        guard message.payload.count >= 2 else {
          throw ProtocolError(.control, "User Control is cut short")
        }
        guard try !answer(message, into: &output) else { continue }
        return message
      default: return message
      }
    }
  }

  /// Answers a ping; false: it is not one.
  private mutating func answer(
    _ message: Message, into output: inout [UInt8]
  ) throws(ProtocolError) -> Bool {
    guard message.userControl == UserControl.pingRequest else {
      guard message.userControl == UserControl.pingResponse else { return false }
      pongs += 1
      return true
    }
    guard let time = message.userControlValue else {
      throw ProtocolError(.control, "a ping is cut short")
    }
    writer.userControl(UserControl.pingResponse, time, into: &output)
    return true
  }

  private func number(_ message: Message) throws(ProtocolError) -> UInt32 {
    var cursor = ByteCursor()
    do {
      return try cursor.u32(message.payload.span)
    } catch {
      throw ProtocolError(.control, "control message \(message.type.rawValue) is cut short")
    }
  }

  /// Writes a command message.
  mutating func send(
    _ command: Command, streamID: UInt32 = 0, into output: inout [UInt8]
  ) {
    let payload = command.payload
    writer.write(
      .command, on: streamID == 0 ? ChunkStreamID.command : ChunkStreamID.status,
      streamID: streamID, payload: payload.span, into: &output)
  }

  /// Pings a peer that has gone quiet.
  ///
  /// Any byte counts as a sign of life: OBS reads nothing of what it is sent, so it never answers
  /// a ping.
  ///
  /// - Parameters:
  ///   - now: the time in milliseconds, by any clock that goes on.
  ///   - pause: after how many milliseconds without a word it is pinged, where that is sooner than
  ///     the limits say.
  ///   - output: where a ping goes.
  /// - Returns: false: the peer has been silent for too long.
  mutating func keepAlive(
    at now: UInt64, pingingAfter pause: UInt64 = .max, into output: inout [UInt8]
  ) -> Bool {
    if heardBytes != received {
      heardBytes = received
      heardAt = now
      pingedAt = nil
    }
    let silence = now >= heardAt ? now - heardAt : 0
    if silence >= limits.silentAfterMilliseconds { return false }
    if silence >= min(pause, limits.pingAfterMilliseconds), pingedAt == nil {
      pingedAt = now
      writer.userControl(
        UserControl.pingRequest, UInt32(truncatingIfNeeded: now), into: &output)
    }
    return true
  }
}

extension Message {
  /// The event of a User Control message.
  var userControl: UInt16? {
    guard type == .userControl, payload.count >= 2 else { return nil }
    return UInt16(payload[0]) << 8 | UInt16(payload[1])
  }

  /// Its first 32-bit argument.
  var userControlValue: UInt32? {
    var cursor = ByteCursor(at: 2)
    return try? cursor.u32(payload.span)
  }
}
