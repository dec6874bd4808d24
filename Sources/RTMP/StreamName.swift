/// The name a client publishes or plays under, with the query that came with it.
///
/// It often is a secret (a stream key): its description says how long it is, not what it is.
package struct StreamName: Equatable, Sendable, CustomStringConvertible,
  CustomDebugStringConvertible
{
  package struct QueryItem: Equatable, Sendable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// As it came, to be sent on to another server.
  package let raw: String
  /// What stands before the question mark, percent-decoded.
  ///
  /// It may hold any character: who makes a file name of it checks it.
  package let path: String
  /// What stands after it, percent-decoded, in its order.
  package let query: [QueryItem]

  package init(_ raw: String) {
    self.raw = raw
    let bytes = Array(raw.utf8)
    let mark = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
    path = Self.decoded(bytes[..<mark], plusIsSpace: false)
    query = bytes[mark...].dropFirst().split(separator: UInt8(ascii: "&")).map { item in
      let equals = item.firstIndex(of: UInt8(ascii: "=")) ?? item.endIndex
      return QueryItem(
        name: Self.decoded(item[..<equals], plusIsSpace: true),
        value: Self.decoded(item[equals...].dropFirst(), plusIsSpace: true))
    }
  }

  /// The first value of that name.
  package subscript(name: String) -> String? { query.first { $0.name == name }?.value }

  package var description: String {
    "stream name of \(path.utf8.count) bytes, \(query.count) query items"
  }
  package var debugDescription: String { description }

  /// Undoes percent-encoding; what is not well-formed stays as it is.
  private static func decoded(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let byte = bytes[index]
      if byte == UInt8(ascii: "%"), bytes.endIndex - index > 2,
        let high = hex(bytes[index + 1]), let low = hex(bytes[index + 2])
      {
        result.append(high << 4 | low)
        index += 3
        continue
      }
      result.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      index += 1
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
