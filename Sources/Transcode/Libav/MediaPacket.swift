import CFFmpeg

/// Owns an `AVPacket`: compressed data on its way out of an encoder or into a decoder.
@safe struct MediaPacket: ~Copyable {
  private let raw: UnsafeMutablePointer<AVPacket>

  init() throws(TranscodeError) {
    guard let packet = unsafe av_packet_alloc() else {
      throw TranscodeError.libav(wl_av_error_memory(), "allocating a packet")
    }
    unsafe raw = packet
  }

  deinit {
    var packet: UnsafeMutablePointer<AVPacket>? = unsafe raw
    unsafe av_packet_free(&packet)
  }

  /// For libav's calls; valid as long as this owner lives.
  var pointer: UnsafeMutablePointer<AVPacket> { unsafe raw }

  /// The compressed bytes, copied.
  var bytes: [UInt8] {
    guard let data = unsafe raw.pointee.data, unsafe raw.pointee.size > 0 else { return [] }
    return unsafe [UInt8](UnsafeBufferPointer(start: data, count: Int(raw.pointee.size)))
  }

  /// In the unit of whoever filled it; nil if it has none.
  var pts: Int64? { unsafe raw.pointee.pts == wl_av_no_pts() ? nil : raw.pointee.pts }
  var dts: Int64? { unsafe raw.pointee.dts == wl_av_no_pts() ? nil : raw.pointee.dts }
  var duration: Int64 { unsafe max(0, raw.pointee.duration) }
  var streamIndex: Int { unsafe Int(raw.pointee.stream_index) }
  var isKey: Bool { unsafe raw.pointee.flags & AV_PKT_FLAG_KEY != 0 }

  /// Lets the data go; the packet can be filled again.
  mutating func clear() { unsafe av_packet_unref(raw) }

  /// Fills it with a copy of compressed bytes.
  mutating func fill(_ bytes: borrowing Span<UInt8>, pts: Int64, dts: Int64)
    throws(TranscodeError)
  {
    clear()
    guard let size = CInt(exactly: bytes.count) else {
      throw TranscodeError(.input, "a packet of \(bytes.count) bytes")
    }
    try unsafe av_new_packet(raw, size).orThrow("allocating a packet")
    unsafe bytes.withUnsafeBytes { source in
      if let from = source.baseAddress, let to = unsafe raw.pointee.data {
        unsafe UnsafeMutableRawPointer(to).copyMemory(from: from, byteCount: source.count)
      }
    }
    unsafe raw.pointee.pts = pts
    unsafe raw.pointee.dts = dts
  }

  /// Says that decoding can start here.
  mutating func markKey() { unsafe raw.pointee.flags |= AV_PKT_FLAG_KEY }
}
