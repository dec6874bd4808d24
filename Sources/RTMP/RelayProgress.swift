/// How far a server has brought a publisher's stream to its viewers: told to a relay, which
/// publishes somebody else's stream, on the stream's own connection.
///
/// A status of our own: other publishers never get it.
package struct RelayProgress: Equatable, Sendable {
  static let code = "WedLive.Publish.Progress"
  /// Numbers up to this are exact in AMF, whose numbers are doubles.
  private static let largest = 9_007_199_254_740_991.0

  /// Viewers have nothing of the stream: its first segment has number 0.
  package static let nothing = RelayProgress(sequence: -1, discontinuity: 0, end: nil)

  /// The media sequence number of the last segment that viewers have; -1 for none.
  package let sequence: Int64
  /// The discontinuity sequence number there.
  package let discontinuity: Int64
  /// Where that segment ends on the publisher's clock, in milliseconds of 32 bits, which wrap; nil
  /// where that isn't known.
  package let end: UInt32?
  /// Which date a time of that clock has; nil where that isn't known.
  package let date: StreamDate?
  /// How far the program has come that its server makes of this stream and others; nil where it
  /// makes none.
  package let program: ProgramPlace?

  package init(
    sequence: Int64, discontinuity: Int64, end: UInt32?, date: StreamDate? = nil,
    program: ProgramPlace? = nil
  ) {
    self.program = program
    self.sequence = sequence
    self.discontinuity = discontinuity
    self.end = end
    self.date = date
  }

  /// Reads it from a status of its own, or from the one with which publishing starts; nil where it
  /// isn't there, or its numbers are none.
  init?(_ status: Status) {
    let date = StreamDate(status)
    if let date, status.more["sequence"] == nil {
      self.init(sequence: -1, discontinuity: 0, end: nil, date: date)
      return
    }
    guard let sequence = Self.number("sequence", of: status),
      let discontinuity = Self.number("discontinuity", of: status)
    else { return nil }
    self.init(
      sequence: sequence, discontinuity: discontinuity,
      end: Self.number("end", of: status, upTo: Double(UInt32.max)).map(UInt32.init), date: date,
      program: ProgramPlace(status))
  }

  /// Reads a whole number that isn't negative; nil for anything else.
  static func number(
    _ name: String, of status: Status, upTo bound: Double = largest
  ) -> Int64? {
    guard let value = status.more[name]?.number, value >= 0, value <= bound,
      value == value.rounded()
    else { return nil }
    return Int64(value)
  }

  /// As it is told on its own.
  ///
  /// - Parameter grant: under which the server has the stream; nil without a cluster.
  /// - Returns: the status.
  func status(_ grant: StreamGrant?) -> Status {
    var status = Status(.status, Self.code, "Viewers have it up to here.")
    append(to: &status.more)
    grant?.append(to: &status.more)
    return status
  }

  /// Where viewers have nothing for certain, nothing but the date is said.
  func append(to properties: inout AMFObject) {
    date?.append(to: &properties)
    guard sequence >= 0 else { return }
    properties.append("sequence", .number(Double(sequence)))
    properties.append("discontinuity", .number(Double(discontinuity)))
    if let end { properties.append("end", .number(Double(end))) }
    program?.append(to: &properties)
  }
}
