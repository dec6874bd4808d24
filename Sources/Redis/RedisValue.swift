/// One value of a server's reply (RESP2).
package enum RedisValue: Hashable, Sendable {
  /// There is nothing: no such key or field, or an aborted transaction.
  case null
  case integer(Int64)
  /// A string, which may hold any bytes.
  case bytes([UInt8])
  /// A simple string such as `OK`.
  case status(String)
  /// A server error inside an array, as pipelines and transactions have them.
  case error(RedisServerError)
  case array([RedisValue])
}

extension RedisValue {
  /// The bytes of a string or status; nil for anything else.
  package var bytes: [UInt8]? {
    switch self {
    case .bytes(let bytes): bytes
    case .status(let text): Array(text.utf8)
    default: nil
    }
  }

  /// A string or status as text, repaired where it isn't UTF-8; nil for anything else.
  package var text: String? {
    switch self {
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    case .status(let text): text
    default: nil
    }
  }

  /// An integer, also one that is written as a string (as hashes keep them).
  package var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .bytes(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
    default: nil
    }
  }

  package var array: [RedisValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  package var error: RedisServerError? {
    if case .error(let error) = self { error } else { nil }
  }

  package var isNull: Bool { self == .null }

  /// The value behind a name in a flat array of names and values, as `HGETALL` and `XINFO` send it.
  ///
  /// - Complexity: O(n).
  package subscript(field: String) -> RedisValue? {
    guard case .array(let values) = self else { return nil }
    var index = 0
    while index + 1 < values.count {
      if values[index].text == field { return values[index + 1] }
      index += 2
    }
    return nil
  }

  /// All names and values of such an array; the last one wins where a name comes twice.
  package var fields: [String: RedisValue]? {
    guard case .array(let values) = self, values.count.isMultiple(of: 2) else { return nil }
    var fields: [String: RedisValue] = [:]
    fields.reserveCapacity(values.count / 2)
    for index in stride(from: 0, to: values.count, by: 2) {
      guard let name = values[index].text else { return nil }
      fields[name] = values[index + 1]
    }
    return fields
  }

  /// What kind of value it is, for a message to a person.
  package var kind: String {
    switch self {
    case .null: "nothing"
    case .integer: "an integer"
    case .bytes: "a string"
    case .status: "a status"
    case .error: "an error"
    case .array: "an array"
    }
  }
}
