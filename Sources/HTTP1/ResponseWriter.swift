package import HTTPSemantics

/// Writes response heads and chunk framing.
package enum ResponseWriter {
  /// How the response's body is framed, and whether the connection goes on after it.
  package struct Framing: Equatable, Sendable {
    package var chunked = false
    /// Writes `connection: close`, or `keep-alive` for a client of HTTP/1.0 that asked for it.
    package var keepsAlive = true
    package var isVersion10 = false

    package init(chunked: Bool = false, keepsAlive: Bool = true, isVersion10: Bool = false) {
      self.chunked = chunked
      self.keepsAlive = keepsAlive
      self.isVersion10 = isVersion10
    }
  }

  /// Appends a whole head: the block, the fields common to all responses, the framing.
  package static func append(
    _ head: HeaderBlock, _ common: HeaderBlock, _ framing: Framing, to out: inout [UInt8]
  ) {
    unsafe out.append(contentsOf: head.bytes)
    unsafe out.append(contentsOf: common.bytes)
    if framing.chunked { append("transfer-encoding: chunked\r\n", to: &out) }
    if !framing.keepsAlive {
      append("connection: close\r\n", to: &out)
    } else if framing.isVersion10 {
      append("connection: keep-alive\r\n", to: &out)
    }
    append("\r\n", to: &out)
  }

  /// Appends the interim response that lets the client send its body.
  package static func appendContinue(to out: inout [UInt8]) {
    append("HTTP/1.1 100 Continue\r\n\r\n", to: &out)
  }

  /// Appends the line before a chunk of `count` bytes, which is not 0.
  package static func appendChunkHead(_ count: Int, to out: inout [UInt8]) {
    var shift = max(0, (Int.bitWidth - count.leadingZeroBitCount - 1) / 4 * 4)
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: count >> shift) & 15
      out.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
      shift -= 4
    }
    append("\r\n", to: &out)
  }

  /// Appends what ends a chunk's data.
  package static func appendChunkEnd(to out: inout [UInt8]) { append("\r\n", to: &out) }

  /// Appends the last chunk and the end of the body.
  package static func appendLastChunk(to out: inout [UInt8]) { append("0\r\n\r\n", to: &out) }

  private static func append(_ text: StaticString, to out: inout [UInt8]) {
    unsafe out.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
