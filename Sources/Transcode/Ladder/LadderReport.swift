import Bytes
package import Media

/// How a transcode worker does.
package struct LadderReport: Equatable, Sendable {
  /// The media time that waits before the decoder, or before the sound where that is more.
  ///
  /// What codecs hold to look ahead is no lag: it is there however fast the machine is.
  package var lag = MediaTime.zero
  /// How many steps down it has taken: 0 is the job as it was given.
  ///
  /// First come faster presets, then the largest rungs are left out, one by one.
  package var step = 0
  /// The rungs that are encoded: bit n is rung n of the job.
  package var activeRungs: UInt32 = 0
  /// Source pictures that were decoded, since the start.
  package var decoded: UInt64 = 0
  /// Source pictures that could not be decoded or had no place in time, since the start.
  package var dropped: UInt64 = 0
  /// Pictures that were encoded, in all rungs, since the start.
  package var encoded: UInt64 = 0

  package init() {}

  func append(to bytes: inout [UInt8]) {
    bytes.append(u32: UInt32(clamping: lag.milliseconds))
    bytes.append(UInt8(clamping: step))
    bytes.append(u32: activeRungs)
    bytes.append(u64: decoded)
    bytes.append(u64: dropped)
    bytes.append(u64: encoded)
  }

  init(_ bytes: borrowing Span<UInt8>, _ fields: inout LadderFields) throws(LadderWireError) {
    lag = MediaTime(milliseconds: Int64(try fields.u32(bytes)))
    step = Int(try fields.u8(bytes))
    activeRungs = try fields.u32(bytes)
    decoded = try fields.u64(bytes)
    dropped = try fields.u64(bytes)
    encoded = try fields.u64(bytes)
  }
}
