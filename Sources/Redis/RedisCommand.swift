import CHiredis

/// A command: its name and arguments, each of any bytes.
///
/// `RedisCommand("SET", key, value, "PX", 5_000)`. Keys and values are never parsed, so nothing in
/// them can become another command.
package struct RedisCommand: Sendable, CustomStringConvertible {
  /// A word of a command.
  package protocol Word { var redisBytes: [UInt8] { get } }

  package private(set) var words: [[UInt8]]

  package init(_ name: String, _ arguments: any Word...) {
    words = [Array(name.utf8)] + arguments.map(\.redisBytes)
  }

  /// Adds arguments at the end.
  package mutating func append(_ arguments: any Word...) {
    words += arguments.map(\.redisBytes)
  }

  /// Adds a list of arguments at the end.
  package mutating func append(contentsOf arguments: some Sequence<some Word>) {
    words += arguments.map(\.redisBytes)
  }

  /// Its name alone: arguments may be secrets.
  package var description: String { String(decoding: words.first ?? [], as: UTF8.self) }

  /// Its size on the wire, more or less; for bounds.
  var approximateBytes: Int { words.reduce(16) { $0 + $1.count + 16 } }

  /// The command as hiredis writes it for the wire, at the end of `output`.
  ///
  /// - Returns: false when hiredis is out of memory; nothing is appended then.
  func write(into output: inout [UInt8]) -> Bool {
    // One buffer, so that all words stay where they are for the length of the call.
    var flat: [UInt8] = []
    flat.reserveCapacity(words.reduce(1) { $0 + $1.count })
    let lengths = words.map(\.count)
    for word in words { flat += word }
    flat.append(0)
    var written: UnsafeMutablePointer<CChar>?
    let count = unsafe flat.withUnsafeBytes { bytes -> Int in
      var offset = 0
      var pointers: [UnsafePointer<CChar>?] = unsafe []
      for length in lengths {
        unsafe pointers.append(
          bytes.baseAddress.map { unsafe ($0 + offset).assumingMemoryBound(to: CChar.self) })
        offset += length
      }
      return unsafe Int(
        redisFormatCommandArgv(&written, Int32(lengths.count), &pointers, lengths))
    }
    guard count > 0, let text = unsafe written else { return false }
    unsafe output.append(
      contentsOf: UnsafeRawBufferPointer(start: UnsafeRawPointer(text), count: count))
    unsafe redisFreeCommand(text)
    return true
  }
}

extension String: RedisCommand.Word {
  package var redisBytes: [UInt8] { Array(utf8) }
}

extension Int: RedisCommand.Word {
  package var redisBytes: [UInt8] { Array(String(self).utf8) }
}

extension Int64: RedisCommand.Word {
  package var redisBytes: [UInt8] { Array(String(self).utf8) }
}

extension UInt64: RedisCommand.Word {
  package var redisBytes: [UInt8] { Array(String(self).utf8) }
}

extension Array: RedisCommand.Word where Element == UInt8 {
  package var redisBytes: [UInt8] { self }
}
