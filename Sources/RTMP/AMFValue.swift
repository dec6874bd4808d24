/// A value of AMF0 or AMF3; what only one of them knows is turned into the nearest other.
package indirect enum AMFValue: Equatable, Sendable {
  case number(Double)
  case boolean(Bool)
  case string(String)
  case object(AMFObject)
  case ecmaArray(AMFObject)
  case array([AMFValue])
  case null
  case undefined
  /// Milliseconds since 1970, UTC.
  case date(Double)
  case xml(String)
  case bytes([UInt8])

  package var number: Double? { if case .number(let value) = self { value } else { nil } }
  package var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
  package var string: String? { if case .string(let value) = self { value } else { nil } }

  /// The members of an object or an ECMA array.
  package var object: AMFObject? {
    switch self {
    case .object(let value), .ecmaArray(let value): value
    default: nil
    }
  }

  /// The members of a strict array.
  package var array: [AMFValue]? { if case .array(let value) = self { value } else { nil } }

  /// The number as an unsigned 32-bit one, if it is finite; fractions are cut, ranges clamped.
  package var uint32: UInt32? {
    guard let value = number, value.isFinite else { return nil }
    return UInt32(min(max(value, 0), Double(UInt32.max)))
  }
}

/// Named members in the order in which they stand on the wire.
package struct AMFObject: Equatable, Sendable, ExpressibleByDictionaryLiteral {
  package struct Member: Equatable, Sendable {
    package let name: String
    package var value: AMFValue
  }

  package var members: [Member] = []
  /// The class's name, empty for anonymous objects.
  package var className = ""

  package init() {}

  package init(dictionaryLiteral elements: (String, AMFValue)...) {
    members = elements.map { Member(name: $0.0, value: $0.1) }
  }

  /// The first member of that name.
  ///
  /// - Complexity: O(members).
  package subscript(name: String) -> AMFValue? {
    members.first { $0.name == name }?.value
  }

  package mutating func append(_ name: String, _ value: AMFValue) {
    members.append(Member(name: name, value: value))
  }
}

extension AMFValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(booleanLiteral value: Bool) { self = .boolean(value) }
  package init(integerLiteral value: Int) { self = .number(Double(value)) }
  package init(floatLiteral value: Double) { self = .number(value) }
}

/// What can be wrong with AMF bytes.
package enum AMFError: Error, Equatable, Sendable {
  case truncated
  case unknownMarker(UInt8)
  case badReference
  case tooDeep
  case tooMany
  /// A class that writes itself in a form of its own.
  case externalizable
}
