package import Bytes

/// The receiving half of a chunk stream: bytes in, whole messages out.
///
/// It takes its bytes in pieces of any size and keeps only unfinished messages. A payload is
/// copied once, from the bytes read to an array of the message's length. Set Chunk Size and Abort
/// are obeyed here, all other messages are handed on.
///
/// What real encoders need beyond the specification:
/// - a type 3 chunk that starts a message repeats the last delta (FMLE);
/// - a chunk stream may open with type 1 (librtmp's ping), its timestamp then counts from 0;
/// - type 3 chunks may or may not repeat an extended timestamp: four bytes are looked at and
///   taken only if they are the value expected;
/// - deltas wrap: audio and video on one chunk stream go back and forth.
///
/// - Note: Source: RTMP 1.0, 5.3.1.
package struct ChunkReader: Sendable {
  /// The chunk size the peer has set, in bytes.
  package private(set) var chunkSize = 128
  /// What unfinished messages hold, in bytes.
  package private(set) var heldBytes = 0
  /// What they may hold together, in bytes.
  package var memoryBytes: Int

  private let limits: Limits
  private var slots: [Slot] = []
  /// The slot of the chunk being read.
  private var current = 0
  /// How many payload bytes of the current chunk are still to come.
  private var chunkLeft = 0
  /// The start of a header that was cut off by the end of the bytes; at most 18 bytes.
  private var carry: [UInt8] = []
  /// The largest message finished so far: a peer that has sent one is trusted with its space.
  private var largest = 0

  package init(limits: Limits = Limits()) {
    self.limits = limits
    memoryBytes = limits.memoryBytes
  }

  /// Reads up to the end of the next message.
  ///
  /// - Parameters:
  ///   - bytes: what was received; reading starts at the cursor.
  ///   - cursor: moved past what was read, which is all of it when there is no message.
  /// - Returns: the message, or nil: more bytes are needed.
  /// - Throws: `ProtocolError`; the stream of chunks can't be followed any more.
  /// - Complexity: O(bytes read), plus O(open chunk streams) per chunk.
  package mutating func next(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(ProtocolError) -> Message? {
    while true {
      if chunkLeft > 0 {
        guard try readPayload(bytes, &cursor) else { return nil }
      } else {
        guard try readHeader(bytes, &cursor) else { return nil }
      }
      guard chunkLeft == 0, slots[current].missing == 0 else { continue }
      let message = finish()
      switch message.type {
      case .setChunkSize: try setChunkSize(message.payload)
      case .abort: try abort(message.payload)
      default: return message
      }
    }
  }

  // MARK: Payload

  /// Copies what is there of the current chunk; false when there was nothing.
  private mutating func readPayload(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(ProtocolError) -> Bool {
    if !carry.isEmpty {
      let count = min(carry.count, chunkLeft)
      let piece = Array(carry[..<count])
      carry.removeFirst(count)
      try take(piece.span)
      return true
    }
    let count = min(chunkLeft, bytes.count - cursor.offset)
    guard count > 0 else { return false }
    try take(bytes.extracting(cursor.offset..<cursor.offset + count))
    cursor.offset += count
    return true
  }

  private mutating func take(_ piece: borrowing Span<UInt8>) throws(ProtocolError) {
    chunkLeft -= piece.count
    if piece.count == slots[current].length {
      slots[current].payload = [UInt8](copying: piece)
    } else {
      let needed = slots[current].payload.count + piece.count
      if needed > slots[current].reserved { try grow(to: needed) }
      slots[current].payload.append(copying: piece)
    }
  }

  /// Makes room for `needed` bytes of the current message.
  ///
  /// The length a header declares costs nothing until bytes come: the first 64 KiB are taken at
  /// once, then the room doubles. A peer that has finished a message as large gets it at once.
  private mutating func grow(to needed: Int) throws(ProtocolError) {
    let old = slots[current].reserved
    guard heldBytes - old + needed <= memoryBytes else {
      throw ProtocolError(.memory, "unfinished messages hold more than \(memoryBytes) bytes")
    }
    let wanted = max(needed, max(64 << 10, old == 0 ? largest : old * 2))
    let room = min(slots[current].length, min(wanted, memoryBytes - heldBytes + old))
    slots[current].payload.reserveCapacity(room)
    slots[current].reserved = room
    heldBytes += room - old
  }

  private mutating func finish() -> Message {
    var payload: [UInt8] = []
    swap(&payload, &slots[current].payload)
    close(current)
    largest = max(largest, payload.count)
    let slot = slots[current]
    return Message(
      type: slot.type, streamID: slot.streamID, timestamp: slot.timestamp, payload: payload)
  }

  private mutating func close(_ index: Int) {
    heldBytes -= slots[index].reserved
    slots[index].reserved = 0
    slots[index].isOpen = false
  }

  private mutating func discard(_ index: Int) {
    slots[index].payload = []
    close(index)
  }

  // MARK: Headers

  /// Reads the next chunk's header and opens or continues its message; false: needs more bytes.
  private mutating func readHeader(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(ProtocolError) -> Bool {
    if carry.isEmpty {
      if let header = try parseHeader(bytes, at: cursor.offset) {
        cursor.offset += header.size
        try begin(header)
        return true
      }
      carry.append(copying: bytes.extracting(cursor.offset..<bytes.count))
      cursor.offset = bytes.count
      return false
    }
    // A header cut in two: byte by byte, so that nothing after it has to be given back. Only the
    // bytes looked at for an extended timestamp that isn't there stay behind, as payload.
    while true {
      let whole = carry
      if let header = try parseHeader(whole.span, at: 0) {
        carry.removeFirst(header.size)
        try begin(header)
        return true
      }
      guard cursor.offset < bytes.count else { return false }
      carry.append(bytes[cursor.offset])
      cursor.offset += 1
    }
  }

  /// Reads a chunk header without changing anything.
  ///
  /// - Returns: nil: more bytes are needed.
  private func parseHeader(
    _ bytes: borrowing Span<UInt8>, at start: Int
  ) throws(ProtocolError) -> Header? {
    let count = bytes.count - start
    guard count > 0 else { return nil }
    let first = bytes[start]
    var header = Header(format: first >> 6, id: UInt32(first & 0x3f), size: 1)
    if header.id == 0 {
      guard count >= 2 else { return nil }
      header.id = 64 + UInt32(bytes[start + 1])
      header.size = 2
    } else if header.id == 1 {
      guard count >= 3 else { return nil }
      header.id = 64 + UInt32(bytes[start + 1]) + UInt32(bytes[start + 2]) << 8
      header.size = 3
    }
    header.slot = slot(of: header.id)
    if header.slot < 0, header.format > 1 {
      throw ProtocolError(
        .chunkHeader, "chunk stream \(header.id) starts with a type \(header.format) chunk")
    }
    guard header.format < 3 else { return parseRepeat(header, bytes, at: start) }

    let fields = start + header.size
    header.size += header.format == 0 ? 11 : header.format == 1 ? 7 : 3
    guard count >= header.size else { return nil }
    header.value = u24(bytes, fields)
    if header.format < 2 {
      header.length = Int(u24(bytes, fields + 3))
      header.type = bytes[fields + 6]
    }
    if header.format == 0 { header.streamID = u32(bytes, fields + 7).byteSwapped }
    if header.value == 0xff_ffff {
      guard count >= header.size + 4 else { return nil }
      header.value = u32(bytes, start + header.size)
      header.isExtended = true
      header.size += 4
    }
    return header
  }

  /// Looks for the extended timestamp that some peers repeat on type 3 chunks and others don't.
  private func parseRepeat(
    _ header: Header, _ bytes: borrowing Span<UInt8>, at start: Int
  ) -> Header? {
    guard slots[header.slot].isExtended else { return header }
    let from = start + header.size
    let expected = slots[header.slot].extendedValue
    let whole = slots[header.slot].timestamp
    let looked = min(4, bytes.count - from)
    var isField = true
    var isTimestamp = true
    for index in 0..<looked {
      let byte = bytes[from + index]
      let shift = UInt32(24 - 8 * index)
      isField = isField && byte == UInt8(truncatingIfNeeded: expected >> shift)
      isTimestamp = isTimestamp && byte == UInt8(truncatingIfNeeded: whole >> shift)
    }
    guard isField || isTimestamp else { return header }
    guard looked == 4 else { return nil }
    var header = header
    header.size += 4
    return header
  }

  private mutating func begin(_ header: Header) throws(ProtocolError) {
    if header.slot < 0 {
      guard slots.count < limits.chunkStreams else {
        throw ProtocolError(.chunkStreams, "more than \(limits.chunkStreams) chunk streams")
      }
      slots.append(Slot(id: header.id))
      current = slots.count - 1
    } else {
      current = header.slot
    }
    if header.format == 3 {
      if !slots[current].isOpen {
        slots[current].timestamp &+= slots[current].delta
        slots[current].isOpen = true
      }
    } else {
      // A new header in the middle of a message: the peer gave that message up.
      if slots[current].isOpen { discard(current) }
      try slots[current].start(header, limits)
    }
    chunkLeft = min(chunkSize, slots[current].missing)
  }

  private func slot(of id: UInt32) -> Int {
    if current < slots.count, slots[current].id == id { return current }
    for index in slots.indices where slots[index].id == id { return index }
    return -1
  }

  // MARK: Control

  private mutating func setChunkSize(_ payload: [UInt8]) throws(ProtocolError) {
    guard payload.count >= 4 else { throw ProtocolError(.control, "Set Chunk Size is cut short") }
    let size = Int(u32(payload.span, 0))
    guard size > 0, size <= limits.chunkSizeBytes else {
      throw ProtocolError(
        .chunkSize, "chunk size \(size) is not in 1...\(limits.chunkSizeBytes)")
    }
    chunkSize = size
  }

  private mutating func abort(_ payload: [UInt8]) throws(ProtocolError) {
    guard payload.count >= 4 else { throw ProtocolError(.control, "Abort is cut short") }
    let index = slot(of: u32(payload.span, 0))
    if index >= 0, slots[index].isOpen { discard(index) }
  }
}

/// A chunk's header as it stands on the wire.
private struct Header {
  var format: UInt8
  var id: UInt32
  /// How many bytes it takes.
  var size: Int
  /// The chunk stream's index, -1 if it is new.
  var slot = -1
  /// A timestamp (type 0) or a delta (1, 2), in milliseconds.
  var value: UInt32 = 0
  var isExtended = false
  var length = 0
  var type: UInt8 = 0
  var streamID: UInt32 = 0
}

/// What one chunk stream remembers.
private struct Slot: Sendable {
  let id: UInt32
  var type = MessageType(rawValue: 0)
  var streamID: UInt32 = 0
  /// The timestamp of the message being read or read last.
  var timestamp: UInt32 = 0
  /// What a type 3 chunk that starts a message adds.
  var delta: UInt32 = 0
  var isExtended = false
  var extendedValue: UInt32 = 0
  var length = 0
  /// Whether a message has begun and not ended.
  var isOpen = false
  var payload: [UInt8] = []
  /// The room made for the payload, in bytes.
  var reserved = 0

  init(id: UInt32) { self.id = id }

  var missing: Int { isOpen ? length - payload.count : 0 }

  mutating func start(_ header: Header, _ limits: Limits) throws(ProtocolError) {
    if header.format < 2 {
      type = MessageType(rawValue: header.type)
      // Told by its header: a command that is too long is not even gathered.
      let isCommand = type == .command || type == .commandAMF3
      let allowed = isCommand ? limits.commandBytes : limits.messageBytes
      guard header.length <= allowed else {
        throw ProtocolError(
          .messageSize, "a message of \(header.length) bytes, \(allowed) allowed")
      }
      length = header.length
    }
    if header.format == 0 {
      streamID = header.streamID
      timestamp = header.value
      // The specification lets a type 3 chunk after a type 0 repeat the timestamp as delta, and
      // ffmpeg relies on it in a stream's first moments. Later such a jump is never meant.
      delta = header.value < 10_000 ? header.value : 0
    } else {
      timestamp &+= header.value
      delta = header.value
    }
    isExtended = header.isExtended
    extendedValue = header.value
    isOpen = true
  }
}

private func u24(_ bytes: borrowing Span<UInt8>, _ at: Int) -> UInt32 {
  UInt32(bytes[at]) << 16 | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2])
}

private func u32(_ bytes: borrowing Span<UInt8>, _ at: Int) -> UInt32 {
  u24(bytes, at) << 8 | UInt32(bytes[at + 3])
}
