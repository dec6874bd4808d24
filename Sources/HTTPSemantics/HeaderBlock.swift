/// A status with its fields, written once and sent many times, over HTTP/1.1 and HTTP/2.
///
/// The bytes are those of HTTP/1.1 (`HTTP/1.1 200 OK`, then `name: value` lines, without the empty
/// line); `entries` say where each name and value stands in them, so that HTTP/2 sends from the
/// same memory. Names are in lower case.
@safe package final class HeaderBlock: @unchecked Sendable {
  // Unchecked: the memory is written in `init` only, and freed by the last owner.

  /// Where one name and its value stand in the bytes.
  package struct Entry: Sendable {
    package var nameOffset: Int32
    package var nameCount: Int32
    package var valueOffset: Int32
    package var valueCount: Int32
  }

  package let status: Int
  /// Whether it has a Date: it is somebody else's response, to be handed on as theirs.
  package let hasDate: Bool
  private let storage: UnsafeMutableBufferPointer<UInt8>
  private let table: UnsafeMutableBufferPointer<Entry>

  /// Writes a block.
  ///
  /// - Parameters:
  ///   - status: 100...599; 0 for a block of fields alone, without a status line.
  ///   - fields: names in any case; values as text, or as `FieldText` gives it. A byte that may not
  ///     stand in a name or value is left out, so nobody can end a line early.
  package init(status: Int, fields: [(name: String, value: String)]) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(64 + fields.count * 40)
    var entries: [Entry] = []
    if status != 0 {
      bytes += "HTTP/1.1 \(status) ".utf8
      reasonPhrase(status).withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
      bytes += [0x0d, 0x0a]
    }
    for (name, value) in fields {
      let nameOffset = bytes.count
      // By loops: a chain of `lazy` costs five times as much, while all who wait for the answer
      // wait.
      for byte in name.utf8 where isTokenByte(byte) { bytes.append(asciiLowercase(byte)) }
      let nameCount = bytes.count - nameOffset
      bytes += [0x3a, 0x20]
      let valueOffset = bytes.count
      var isText = true
      for byte in value.utf8 where isFieldByte(byte) {
        bytes.append(byte)
        if byte == 0xef { isText = false }
      }
      if !isText {
        bytes.removeLast(bytes.count - valueOffset)
        bytes += FieldText.bytes(value).filter(isFieldByte)
      }
      entries.append(
        Entry(
          nameOffset: Int32(nameOffset), nameCount: Int32(nameCount),
          valueOffset: Int32(valueOffset), valueCount: Int32(bytes.count - valueOffset)))
      bytes += [0x0d, 0x0a]
    }
    self.status = status
    hasDate = fields.contains { $0.name.lowercased() == "date" }
    unsafe storage = .allocate(capacity: bytes.count)
    _ = unsafe storage.initialize(fromContentsOf: bytes)
    unsafe table = .allocate(capacity: entries.count)
    _ = unsafe table.initialize(fromContentsOf: entries)
  }

  deinit {
    unsafe storage.deallocate()
    unsafe table.deallocate()
  }

  /// The status line and the field lines; lives as long as the block.
  package var bytes: UnsafeBufferPointer<UInt8> { unsafe UnsafeBufferPointer(storage) }

  /// The fields' places in `bytes`; lives as long as the block.
  package var entries: UnsafeBufferPointer<Entry> { unsafe UnsafeBufferPointer(table) }

  /// Overwrites the value of one entry in place, for a date that changes once a second.
  ///
  /// Only for a block that one loop alone has; the new value must be as long as the old one.
  package func overwrite(entry: Int, with value: [UInt8]) {
    let place = unsafe table[entry]
    precondition(Int(place.valueCount) == value.count, "the value keeps its length")
    for (index, byte) in value.enumerated() {
      unsafe storage[Int(place.valueOffset) + index] = byte
    }
  }
}
