import Bytes
import Media

/// What crosses the socket between a node and its transcode worker, in either direction.
///
/// On the wire a message is its length (32 bits: of what follows), its kind (8 bits) and its
/// fields, the most significant byte first. Both ends are the same binary, so there is no version;
/// the bytes are checked all the same, for a worker may have been taken over by the bitstream that
/// it read.
package protocol LadderMessage: Equatable, Sendable {
  /// Appends the message with its length.
  func append(to bytes: inout [UInt8])

  /// Reads a message.
  ///
  /// - Parameters:
  ///   - kind: says which.
  ///   - bytes: where its fields stand.
  ///   - fields: at the first of them.
  /// - Throws: `.truncated`, or `.invalid` for a value that can't be.
  init(
    kind: UInt8, _ bytes: borrowing Span<UInt8>, _ fields: inout LadderFields
  ) throws(LadderWireError)
}

/// Why bytes of the socket are no message.
package enum LadderWireError: Error, Equatable, Sendable {
  /// It ends before a field that it must have.
  case truncated
  /// Longer than any message may be: its length.
  case tooLong(Int)
  /// A field has a value that can't be.
  case invalid(String)
}

/// Takes a stream of bytes apart into messages: append some, take the messages that are whole.
package struct LadderMessageReader<Message: LadderMessage>: Sendable {
  private var bytes: [UInt8] = []
  private var cursor = ByteCursor()

  /// The longest message, without its length; a picture has far less.
  package static var maximumLength: Int { 64 << 20 }

  package init() {}

  /// Adds the next bytes of the socket.
  package mutating func append(_ more: borrowing Span<UInt8>) {
    // What was read goes away here, once per append and not once per message.
    if cursor.offset > 0 {
      bytes.removeFirst(cursor.offset)
      cursor.offset = 0
    }
    bytes.append(copying: more)
  }

  /// Takes the next whole message.
  ///
  /// - Returns: nil when more bytes are needed.
  /// - Throws: what is wrong; the other end is then broken, and nothing after it can be read.
  package mutating func next() throws(LadderWireError) -> Message? {
    guard bytes.count - cursor.offset >= 4 else { return nil }
    var fields = LadderFields(at: cursor.offset)
    let length = Int(try fields.u32(bytes.span))
    guard length <= Self.maximumLength else { throw .tooLong(length) }
    guard length > 0 else { throw .truncated }
    let start = cursor.offset + 4
    guard bytes.count - start >= length else { return nil }
    let message = try Self.read(bytes.span.extracting(start..<start + length))
    cursor.offset = start + length
    return message
  }

  private static func read(
    _ bytes: borrowing Span<UInt8>
  ) throws(LadderWireError) -> Message {
    var fields = LadderFields(at: 1)
    let message = try Message(kind: bytes[0], bytes, &fields)
    let left = fields.left(bytes)
    guard left == 0 else {
      throw .invalid("\(left) bytes too many in a message of kind \(bytes[0])")
    }
    return message
  }
}
