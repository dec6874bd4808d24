/// Which date a time of a publisher's clock has: told to a relay with `RelayProgress`, and by that
/// to the next server, which gets late what was not late when it was filmed.
///
/// Any time of that clock will do: dates of others are as far from it as the times are.
package struct StreamDate: Equatable, Sendable {
  /// Dates up to this are exact in AMF; later ones are none.
  private static let largest = 9_007_199_254_740_991.0

  /// By the publisher's clock, in milliseconds of 32 bits, which wrap.
  package let time: UInt32
  /// In milliseconds since 1970.
  package let date: Int64

  package init(time: UInt32, date: Int64) {
    self.time = time
    self.date = date
  }

  /// Reads it from a status; nil where it isn't there, or its numbers are none.
  init?(_ status: Status) {
    guard
      let time = RelayProgress.number("time", of: status, upTo: Double(UInt32.max)),
      let date = RelayProgress.number("date", of: status, upTo: Self.largest), date > 0
    else { return nil }
    self.init(time: UInt32(time), date: date)
  }

  /// Reads what `text` says; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let time = UInt32(parts[0]), let date = Int64(parts[1]),
      (1...Int64(Self.largest)).contains(date)
    else { return nil }
    self.init(time: time, date: date)
  }

  /// For a query.
  package var text: String { "\(time).\(date)" }

  func append(to properties: inout AMFObject) {
    properties.append("time", .number(Double(time)))
    properties.append("date", .number(Double(date)))
  }
}
