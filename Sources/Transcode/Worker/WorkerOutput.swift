import Bytes
import Media

/// Writes what a worker makes as FLV into its socket; the reader's pace is the worker's.
///
/// Tags are FLV's: AVC and AAC sequence headers first, then frames with their composition times.
/// The last one may be a script tag `onWorkerError` with a sentence: why the worker ends.
struct WorkerOutput {
  static let errorName = "onWorkerError"
  private let descriptor: CInt
  private var bytes: [UInt8] = []

  /// Starts a stream; nothing is written yet.
  init(descriptor: CInt) {
    self.descriptor = descriptor
    FLVWriter.header(hasAudio: true, hasVideo: true, to: &bytes)
  }

  /// Adds events, and writes them all.
  ///
  /// - Throws: `.outputClosed` when the parent is gone; `.libav` for a frame too long for FLV.
  mutating func write(_ events: [SourceEvent]) throws(TranscodeError) {
    for event in events {
      switch event {
      case .videoConfiguration(let record):
        try tag(.video, .zero, header: [0x17, 0, 0, 0, 0], record.span)
      case .audioConfiguration(let record):
        try tag(.audio, .zero, header: [0xAF, 0], record.span)
      case .frame(let frame):
        try write(frame)
      }
    }
    try flush()
  }

  private mutating func write(_ frame: Frame) throws(TranscodeError) {
    let payload = frame.payload.span.extracting(droppingFirst: frame.payloadOffset)
    switch frame.track {
    case .video:
      let composition = UInt32(
        truncatingIfNeeded: Self.milliseconds(frame.pts) - Self.milliseconds(frame.dts))
      var header: [UInt8] = [frame.isKeyframe ? 0x17 : 0x27, 1]
      header.append(u24: composition & 0xFF_FFFF)
      try tag(.video, frame.dts, header: header, payload)
    case .audio:
      try tag(.audio, frame.dts, header: [0xAF, 1], payload)
    }
  }

  /// The last words: why nothing more comes.
  mutating func write(_ error: TranscodeError) throws(TranscodeError) {
    var body: [UInt8] = []
    for text in [Self.errorName, error.message] {
      let utf8 = Array(text.utf8.prefix(2_000))
      body.append(2)
      body.append(u16: UInt16(utf8.count))
      body += utf8
    }
    try tag(.script, .zero, header: [], body.span)
    try flush()
  }

  /// Reads a tag of last words; nil for any other.
  static func lastWords(_ tag: FLVTag) -> String? {
    guard tag.kind == .script else { return nil }
    var cursor = ByteCursor()
    let body = tag.body.span
    do throws(ByteError) {
      var texts: [String] = []
      for _ in 0..<2 {
        guard try cursor.u8(body) == 2 else { return nil }
        let count = Int(try cursor.u16(body))
        texts.append(String(decoding: try cursor.bytes(count, body), as: UTF8.self))
      }
      return texts[0] == errorName ? texts[1] : nil
    } catch {
      return nil
    }
  }

  /// To the nearest; FLV's times are 32 bits of it.
  private static func milliseconds(_ time: MediaTime) -> Int64 {
    MediaTime(ticks: time.ticks + 45).milliseconds
  }

  private mutating func tag(
    _ kind: FLVTag.Kind, _ time: MediaTime, header: [UInt8], _ payload: borrowing Span<UInt8>
  ) throws(TranscodeError) {
    var body = header
    body.reserveCapacity(header.count + payload.count)
    body.append(copying: payload)
    let timestamp = UInt32(truncatingIfNeeded: Self.milliseconds(time))
    guard FLVWriter.tag(kind, timestamp: timestamp, body: body.span, to: &bytes) else {
      throw TranscodeError(.libav, "a frame of \(body.count) bytes is too long for FLV")
    }
  }

  private mutating func flush() throws(TranscodeError) {
    guard WorkerSocket.write(bytes, to: descriptor) else {
      throw TranscodeError(.outputClosed, "the output is closed")
    }
    bytes.removeAll(keepingCapacity: true)
  }
}
