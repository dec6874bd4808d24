import Bytes

/// What a remux worker says: a length, a kind, and what belongs to it.
///
/// `u32 length, u8 kind, payload`, most significant byte first; the length counts kind and payload.
package enum RemuxMessage: Equatable, Sendable {
  /// What there is to write beside the movies, which are written by the child itself.
  package enum Item: Equatable, Sendable {
    /// From 1 on.
    case thumbnail(Int)
    case sprite
    case index
  }

  /// 0...1000; also when nothing has changed, as a sign of life.
  case progress(Int)
  case file(Item, [UInt8])
  /// `RemuxResult` as JSON; the last message.
  case result([UInt8])
  /// Why there is none; the last message.
  case failed(code: UInt8, words: String)

  /// The longest message that is believed.
  package static let maximumBytes = 32 << 20

  package func append(to bytes: inout [UInt8]) {
    switch self {
    case .progress(let value):
      bytes.append(u32: 5)
      bytes.append(1)
      bytes.append(u32: UInt32(clamping: value))
    case .file(let item, let content):
      bytes.append(u32: UInt32(clamping: content.count + 3))
      bytes.append(2)
      switch item {
      case .sprite: bytes.append(u16: 0)
      case .index: bytes.append(u16: 1)
      case .thumbnail(let number): bytes.append(u16: UInt16(clamping: number + 1))
      }
      bytes += content
    case .result(let content):
      bytes.append(u32: UInt32(clamping: content.count + 1))
      bytes.append(3)
      bytes += content
    case .failed(let code, let words):
      let utf8 = Array(words.utf8.prefix(2_000))
      bytes.append(u32: UInt32(utf8.count + 2))
      bytes += [4, code]
      bytes += utf8
    }
  }

  /// Reads the next message.
  ///
  /// - Parameters:
  ///   - bytes: what has come, from the cursor on.
  ///   - cursor: moves to the end of the message.
  /// - Returns: nil when more bytes are needed.
  /// - Throws: `.libav` for what no worker sends.
  static func read(
    _ bytes: borrowing Span<UInt8>, at cursor: inout ByteCursor
  ) throws(TranscodeError) -> RemuxMessage? {
    var here = cursor
    guard let length = try? here.u32(bytes) else { return nil }
    guard (1...UInt32(maximumBytes)).contains(length) else { throw broken }
    guard here.left(bytes) >= Int(length) else { return nil }
    do throws(ByteError) {
      let end = here.offset + Int(length)
      let message: RemuxMessage
      switch try here.u8(bytes) {
      case 1: message = .progress(Int(min(1_000, try here.u32(bytes))))
      case 2:
        let number = Int(try here.u16(bytes))
        let item: Item = number == 0 ? .sprite : number == 1 ? .index : .thumbnail(number - 1)
        message = .file(item, try here.bytes(end - here.offset, bytes))
      case 3: message = .result(try here.bytes(end - here.offset, bytes))
      case 4:
        let code = try here.u8(bytes)
        message = .failed(
          code: code,
          words: String(decoding: try here.bytes(end - here.offset, bytes), as: UTF8.self))
      default: throw ByteError.truncated(needed: 0, have: 0)
      }
      guard here.offset == end else { throw ByteError.truncated(needed: 0, have: 0) }
      cursor = here
      return message
    } catch {
      throw broken
    }
  }

  private static let broken = TranscodeError(.libav, "the remux worker said what makes no sense")
}
