/// A value of an event, as JSON has them.
package enum EventValue: Sendable, Hashable {
  case text(String)
  case integer(Int64)
  case real(Double)
  case flag(Bool)
}

extension EventValue: Encodable {
  /// Encodes the value alone, without the name of its case.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .integer(let number): try container.encode(number)
    case .real(let number): try container.encode(number)
    case .flag(let flag): try container.encode(flag)
    }
  }
}

extension EventValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
  ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
  package init(stringLiteral value: String) { self = .text(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .flag(value) }
}
