/// The id of a stream's entry: when it was added, by the server's clock, and a number among those.
package struct RedisStreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package var milliseconds: UInt64
  package var sequence: UInt64

  /// Before every entry: `0-0`.
  package static let beginning = RedisStreamID(milliseconds: 0, sequence: 0)

  package init(milliseconds: UInt64, sequence: UInt64) {
    self.milliseconds = milliseconds
    self.sequence = sequence
  }

  /// Reads `1700000000000-0`; nil where it isn't one.
  package init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let milliseconds = UInt64(parts[0]), let sequence = UInt64(parts[1])
    else { return nil }
    self.init(milliseconds: milliseconds, sequence: sequence)
  }

  package static func < (left: RedisStreamID, right: RedisStreamID) -> Bool {
    (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
  }

  package var description: String { "\(milliseconds)-\(sequence)" }
}

/// One entry of a stream.
package struct RedisStreamEntry: Equatable, Sendable {
  package let id: RedisStreamID
  /// Its names and values; where a name comes twice, the last one.
  package let fields: [String: [UInt8]]

  package init(id: RedisStreamID, fields: [String: [UInt8]]) {
    self.id = id
    self.fields = fields
  }

  /// Reads `[id, [name, value, …]]`; nil where it isn't that.
  init?(_ value: RedisValue) {
    guard let parts = value.array, parts.count == 2,
      let id = parts[0].text.flatMap(RedisStreamID.init),
      let fields = parts[1].fields
    else { return nil }
    self.id = id
    self.fields = fields.compactMapValues(\.bytes)
  }

  /// A field's value as text.
  package subscript(name: String) -> String? {
    fields[name].map { String(decoding: $0, as: UTF8.self) }
  }
}
