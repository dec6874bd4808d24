/// Fills the transport packets of one PES packet, in memory that was reserved for all of them.
///
/// The pieces of the PES packet are written one after the other; packet headers, the clock
/// reference and stuffing fall in between by themselves. Nothing is allocated.
@safe struct PacketCursor: ~Copyable {
  private let base: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private let pid: UInt16
  private var continuity: UInt8
  /// Bytes of the PES packet that are still to come.
  private var remaining: Int
  /// Where the next byte goes.
  private var position = 0
  /// How many more bytes the open packet takes.
  private var room = 0
  private var reference: Int64?
  private let isRandomAccess: Bool
  private let isDiscontinuity: Bool
  private var isFirst = true

  static let packetSize = 188

  /// How many bytes of transport packets a PES packet makes.
  static func size(of bytes: Int, hasReference: Bool, isDiscontinuity: Bool = false) -> Int {
    let first = 184 - field(hasReference: hasReference, isDiscontinuity: isDiscontinuity)
    return packetSize * (bytes <= first ? 1 : 1 + (bytes - first + 183) / 184)
  }

  /// What the first packet's adaptation field takes at least, its length byte included: a clock
  /// reference 8, flags alone 2.
  private static func field(hasReference: Bool, isDiscontinuity: Bool) -> Int {
    hasReference ? 8 : isDiscontinuity ? 2 : 0
  }

  /// Begins a PES packet.
  ///
  /// - Parameters:
  ///   - memory: exactly `size(of:hasReference:)` bytes; used only while this lives.
  ///   - pid: of the track.
  ///   - continuity: of the first packet.
  ///   - bytes: of the whole PES packet.
  ///   - reference: the clock reference in 1/90000 s, for the first packet.
  ///   - isRandomAccess: whether decoding can start here.
  ///   - isDiscontinuity: whether neither the counter nor the clock follows from what came before
  ///     (ISO/IEC 13818-1, 2.4.3.5): a demuxer that goes on must not take the packet for damaged.
  @unsafe init(
    _ memory: UnsafeMutableBufferPointer<UInt8>, pid: UInt16, continuity: UInt8, bytes: Int,
    reference: Int64?, isRandomAccess: Bool, isDiscontinuity: Bool = false
  ) {
    guard let base = memory.baseAddress else { preconditionFailure("no memory for packets") }
    unsafe self.base = unsafe base
    capacity = memory.count
    self.pid = pid
    self.continuity = continuity
    remaining = bytes
    self.reference = reference
    self.isRandomAccess = isRandomAccess
    self.isDiscontinuity = isDiscontinuity
  }

  /// The continuity counter of the packet after the last one.
  var nextContinuity: UInt8 { continuity }

  /// How many bytes were filled.
  var filled: Int { position }

  /// Writes a piece of the PES packet.
  mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard var source = bytes.baseAddress else { return }
    var left = bytes.count
    while left > 0 {
      if room == 0 { beginPacket() }
      let count = min(left, room)
      unsafe (base + position).update(from: source, count: count)
      unsafe source += count
      position += count
      room -= count
      left -= count
    }
  }

  /// Writes a piece that is an array.
  mutating func write(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBufferPointer { unsafe write($0) }
  }

  private mutating func put(_ byte: UInt8) {
    unsafe base[position] = byte
    position += 1
  }

  /// Writes a packet's header and what must stand before its payload.
  private mutating func beginPacket() {
    // Every write below stays inside one packet, so this is the one check that memory needs.
    precondition(position + Self.packetSize <= capacity, "a PES packet longer than announced")
    let end = position + Self.packetSize
    put(0x47)
    put((isFirst ? 0x40 : 0) | UInt8(truncatingIfNeeded: pid >> 8) & 0x1F)
    put(UInt8(truncatingIfNeeded: pid))
    let clock = isFirst ? reference : nil
    var field = Self.field(
      hasReference: clock != nil, isDiscontinuity: isFirst && isDiscontinuity)
    // Stuffing makes up the rest.
    if remaining < 184 - field { field = 184 - remaining }
    put((field > 0 ? 0x30 : 0x10) | continuity)
    continuity = (continuity + 1) & 0x0F
    if field > 0 {
      put(UInt8(field - 1))
      if field > 1 {
        put(
          (clock != nil ? 0x10 : 0) | (isFirst && isRandomAccess ? 0x40 : 0)
            | (isFirst && isDiscontinuity ? 0x80 : 0))
        var used = 2
        if let clock {
          putReference(clock)
          used += 6
        }
        if field > used {
          unsafe (base + position).update(repeating: 0xFF, count: field - used)
          position += field - used
        }
      }
    }
    isFirst = false
    room = end - position
    remaining -= room
  }

  /// The program clock reference: 33 bits of base, 6 reserved, 9 of extension (0).
  private mutating func putReference(_ time: Int64) {
    let base = UInt64(bitPattern: time) & 0x1_FFFF_FFFF
    put(UInt8(truncatingIfNeeded: base >> 25))
    put(UInt8(truncatingIfNeeded: base >> 17))
    put(UInt8(truncatingIfNeeded: base >> 9))
    put(UInt8(truncatingIfNeeded: base >> 1))
    put(UInt8(truncatingIfNeeded: base & 1) << 7 | 0x7E)
    put(0)
  }
}
