import Bytes

/// What the extended headers of sound and picture have in common: modifiers, tracks and FourCCs.
///
/// Source: Enhanced RTMP v2, "ExVideoTagHeader", "ExAudioTagHeader" and their bodies.
struct ExtendedTagHeader {
  /// The type of what each track's body holds, modifiers and multitrack resolved.
  private(set) var packetType: UInt8
  /// Sum of the timestamp offsets that modifiers gave, in nanoseconds.
  private(set) var nanoseconds: UInt32 = 0
  private var cursor = ByteCursor(at: 1)
  private var layout = Layout.single
  private var sharedFourCC: FourCC?
  private var isDone = false

  private enum Layout { case single, oneTrack, manyTracks, manyCodecs }

  /// One track's part of a message.
  struct TrackBody {
    var fourCC: FourCC
    var id: UInt8
    var body: Range<Int>
  }

  /// Reads from the first byte to just before the first track's body.
  ///
  /// - Parameters:
  ///   - bytes: the whole message; not empty.
  ///   - multitrackType: the packet type that announces several tracks: 6 for video, 5 for audio.
  ///   - metadataType: the packet type that a command frame can't have; 4 for video.
  ///   - isVideo: whether the frame type's bits can say that it is a command.
  /// - Throws: `.truncated`.
  init(
    _ bytes: borrowing Span<UInt8>, multitrackType: UInt8, metadataType: UInt8, isVideo: Bool
  ) throws(TagError) {
    packetType = bytes[0] & 0x0F
    do throws(ByteError) {
      while packetType == 7 {
        var size = Int(try cursor.u8(bytes)) + 1
        if size == 256 { size = Int(try cursor.u16(bytes)) + 1 }
        let start = cursor.offset
        try cursor.skip(size, bytes)
        let kinds = try cursor.u8(bytes)
        packetType = kinds & 0x0F
        if kinds >> 4 == 0, size >= 3 {
          var data = ByteCursor(at: start)
          nanoseconds = min(try data.u24(bytes), 999_999)
        }
      }
      if isVideo, bytes[0] >> 4 & 7 == 5, packetType != metadataType {
        isDone = true
        return
      }
      if packetType == multitrackType {
        let kinds = try cursor.u8(bytes)
        packetType = kinds & 0x0F
        // Reserved layouts are read as one track: the packet type then decides what becomes of it.
        layout = kinds >> 4 == 1 ? .manyTracks : kinds >> 4 == 2 ? .manyCodecs : .oneTrack
        // Tracks can't be nested.
        if packetType == multitrackType { packetType = .max }
      }
      if layout != .manyCodecs { sharedFourCC = FourCC(try cursor.u32(bytes)) }
    } catch {
      throw .truncated
    }
  }

  /// Moves to the next track.
  ///
  /// - Returns: its codec, id and body; nil after the last one.
  mutating func nextTrack(_ bytes: borrowing Span<UInt8>) throws(TagError) -> TrackBody? {
    guard !isDone else { return nil }
    do throws(ByteError) {
      switch layout {
      case .single, .oneTrack:
        isDone = true
        let id = layout == .single ? 0 : try cursor.u8(bytes)
        guard let fourCC = sharedFourCC else { return nil }
        return TrackBody(fourCC: fourCC, id: id, body: cursor.offset..<bytes.count)
      case .manyTracks, .manyCodecs:
        guard cursor.left(bytes) > 0 else {
          isDone = true
          return nil
        }
        var fourCC = sharedFourCC
        if layout == .manyCodecs { fourCC = FourCC(try cursor.u32(bytes)) }
        let id = try cursor.u8(bytes)
        let size = Int(try cursor.u24(bytes))
        let start = cursor.offset
        try cursor.skip(size, bytes)
        guard let fourCC else { return nil }
        return TrackBody(fourCC: fourCC, id: id, body: start..<start + size)
      }
    } catch {
      isDone = true
      throw .truncated
    }
  }
}
