import RTMP

extension Message {
  /// The AMF0 string that a stream's description starts with.
  private static let metadataName = [0x02, 0x00, 0x0A] + Array("onMetaData".utf8)

  /// Whether it is the stream's description, and not a cue point, a time code or a caption.
  var isMetadata: Bool { payload.starts(with: Self.metadataName) }
}

extension UInt32 {
  /// Whether this time lies before another one on a clock that wraps.
  func isBefore(_ other: UInt32) -> Bool { Int32(bitPattern: self &- other) < 0 }
}
