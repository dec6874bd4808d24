/// How far a wedding's program has come: told to the relays of its cameras with `RelayProgress`,
/// and by these to the next server, which may have nobody else to ask.
package struct ProgramPlace: Equatable, Sendable {
  /// The largest number that is exact in all that numbers go through.
  private static let largest: Int64 = (1 << 53) - 1
  private static let longestCamera = 128

  /// The media sequence number of its last segment; not negative.
  package let number: Int64
  /// The discontinuity sequence number behind it.
  package let discontinuity: Int64
  /// The program date where that segment ends, in milliseconds since 1970.
  package let date: Int64
  /// Whose segment that is: letters, digits, `-`, `_` and `.`.
  package let camera: String
  /// The camera's own number of it.
  package let sequence: Int64
  /// The number of the lease under which its server shows it; 0 where there is none.
  package var epoch: Int64

  package init(
    number: Int64, discontinuity: Int64, date: Int64, camera: String, sequence: Int64,
    epoch: Int64 = 0
  ) {
    self.epoch = epoch
    self.number = number
    self.discontinuity = discontinuity
    self.date = date
    self.camera = camera
    self.sequence = sequence
  }

  /// Reads what `text` says; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 5, omittingEmptySubsequences: false)
    guard parts.count == 6, let number = Int64(parts[0]), let discontinuity = Int64(parts[1]),
      let date = Int64(parts[2]), let sequence = Int64(parts[3]), let epoch = Int64(parts[4]),
      [number, discontinuity, date, sequence, epoch].allSatisfy((0...Self.largest).contains),
      Self.isCamera(parts[5])
    else { return nil }
    self.init(
      number: number, discontinuity: discontinuity, date: date, camera: String(parts[5]),
      sequence: sequence, epoch: epoch)
  }

  /// Reads it from a status; nil where it isn't there, or is none.
  init?(_ status: Status) {
    guard let text = status.more["program"]?.string else { return nil }
    self.init(text)
  }

  /// For a status, and for a query.
  package var text: String { "\(number).\(discontinuity).\(date).\(sequence).\(epoch).\(camera)" }

  func append(to properties: inout AMFObject) { properties.append("program", .string(text)) }

  /// It stands in a query as it is.
  private static func isCamera(_ name: Substring) -> Bool {
    (1...longestCamera).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: ".")
      && name.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf)
          || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
      }
  }
}
