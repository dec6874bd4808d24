import Bytes
import Media

/// Reads the fields of one message, in their order.
package struct LadderFields: Sendable {
  private var cursor: ByteCursor

  init(at offset: Int) { cursor = ByteCursor(at: offset) }

  /// How many bytes are left.
  func left(_ bytes: borrowing Span<UInt8>) -> Int { cursor.left(bytes) }

  mutating func u8(_ bytes: borrowing Span<UInt8>) throws(LadderWireError) -> UInt8 {
    do throws(ByteError) { return try cursor.u8(bytes) } catch { throw .truncated }
  }

  mutating func u32(_ bytes: borrowing Span<UInt8>) throws(LadderWireError) -> UInt32 {
    do throws(ByteError) { return try cursor.u32(bytes) } catch { throw .truncated }
  }

  mutating func u64(_ bytes: borrowing Span<UInt8>) throws(LadderWireError) -> UInt64 {
    do throws(ByteError) { return try cursor.u64(bytes) } catch { throw .truncated }
  }

  mutating func time(_ bytes: borrowing Span<UInt8>) throws(LadderWireError) -> MediaTime {
    let ticks = Int64(bitPattern: try u64(bytes))
    // Sums and differences of two such times can't overflow.
    guard ticks.magnitude < 1 << 61 else { throw .invalid("a time of \(ticks)") }
    return MediaTime(ticks: ticks)
  }

  mutating func track(_ bytes: borrowing Span<UInt8>) throws(LadderWireError) -> Track {
    let number = try u8(bytes)
    guard let track = Track(rawValue: number) else { throw .invalid("track \(number)") }
    return track
  }

  /// Reads a codec as the four characters of E-RTMP.
  ///
  /// - Throws: `.invalid` for a codec of another track.
  mutating func codec(
    _ track: Track, _ bytes: borrowing Span<UInt8>
  ) throws(LadderWireError) -> Codec {
    let code = FourCC(try u32(bytes))
    guard let codec = Codec(fourCC: code), codec.track == track else {
      throw .invalid("\(code) is no codec of \(track == .video ? "pictures" : "sound")")
    }
    return codec
  }

  /// Reads flags of which only some have a meaning.
  mutating func flags(
    _ known: UInt8, _ bytes: borrowing Span<UInt8>
  ) throws(LadderWireError) -> UInt8 {
    let flags = try u8(bytes)
    guard flags & ~known == 0 else { throw .invalid("flags \(flags)") }
    return flags
  }

  /// Takes all that is left.
  mutating func rest(_ bytes: borrowing Span<UInt8>) -> [UInt8] {
    let rest = [UInt8](copying: bytes.extracting(min(cursor.offset, bytes.count)..<bytes.count))
    cursor.offset = bytes.count
    return rest
  }
}

/// The flags of a frame, in both directions.
enum LadderFlag {
  static let keyframe: UInt8 = 1
  static let cut: UInt8 = 2
}

extension [UInt8] {
  /// Appends a message: its length, its kind, and what `fields` appends.
  mutating func appendMessage(kind: UInt8, _ fields: (inout [UInt8]) -> Void) {
    let start = count
    append(u32: 0)
    append(kind)
    fields(&self)
    let length = UInt32(clamping: count - start - 4)
    for index in 0..<4 {
      self[start + index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index))
    }
  }

  mutating func append(_ time: MediaTime) { append(u64: UInt64(bitPattern: time.ticks)) }

  /// Appends a codec as the four characters of E-RTMP; 0 for one that has none.
  mutating func append(_ codec: Codec) { append(u32: codec.fourCC?.value ?? 0) }

  /// Appends what both directions say of a frame: codec, flags, times and its elementary data.
  mutating func append(_ frame: Frame, isCut: Bool) {
    append(frame.codec)
    append((frame.isKeyframe ? LadderFlag.keyframe : 0) | (isCut ? LadderFlag.cut : 0))
    append(frame.dts)
    append(frame.pts)
    append(copying: frame.payload.span.extracting(droppingFirst: frame.payloadOffset))
  }
}

extension LadderFields {
  /// Reads what `append(_:isCut:)` wrote.
  mutating func frame(
    _ track: Track, _ bytes: borrowing Span<UInt8>
  ) throws(LadderWireError) -> (frame: Frame, isCut: Bool) {
    let codec = try codec(track, bytes)
    let flags = try flags(LadderFlag.keyframe | LadderFlag.cut, bytes)
    let dts = try time(bytes)
    let pts = try time(bytes)
    let frame = Frame(
      track: track, codec: codec, dts: dts, pts: pts,
      isKeyframe: flags & LadderFlag.keyframe != 0, payload: rest(bytes))
    return (frame, flags & LadderFlag.cut != 0)
  }
}
