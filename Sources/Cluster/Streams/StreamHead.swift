/// How far a stream's playlist has come: what the next holder needs to go on with its numbers.
package struct StreamHead: Equatable, Sendable {
  /// The media sequence number of the last announced segment.
  package var sequence: Int64
  /// The discontinuity sequence number there.
  package var discontinuity: Int64
  /// Where that segment ends, in ticks of 1/90000 s.
  package var end: Int64
  /// At most 32 names: of the last segments, the newest last.
  package var names: [String]
  /// The camera that a program shows; nil for other streams, and where it shows none.
  package var camera: String?
  /// Whose segment a program has announced last; nil for other streams, and where that isn't known.
  package var shown: ShownSegment?
  /// The program date where it ends, in milliseconds since 1970 by its holder's clock; 0: not
  /// known.
  package var date: Int64
  /// When the stream went on the air, in milliseconds since 1970; 0: not known.
  package var began: Int64

  package init(
    sequence: Int64, discontinuity: Int64 = 0, end: Int64 = 0, names: [String] = [],
    date: Int64 = 0, camera: String? = nil, shown: ShownSegment? = nil, began: Int64 = 0
  ) {
    self.began = began
    self.shown = shown
    self.date = date
    self.camera = camera
    self.sequence = sequence
    self.discontinuity = discontinuity
    self.end = end
    self.names = names
  }

  /// Numbers up to this are exact in Lua, whose numbers are doubles, and so is the next one.
  static let largest: Int64 = (1 << 53) - 1
  static let mostNames = 32
  /// How long all names may be, with the spaces between them.
  static let longestNames = 8_192

  /// Whether it may be written, and believed.
  var isValid: Bool {
    (0...Self.largest).contains(sequence) && (0...Self.largest).contains(discontinuity)
      && (-Self.largest...Self.largest).contains(end) && (0...Self.largest).contains(date)
      && (0...Self.largest).contains(began)
      && names.count <= Self.mostNames
      && names.allSatisfy { !$0.isEmpty && NameRule.isVisible($0, longest: 256) }
      && names.reduce(0, { $0 + $1.utf8.count + 1 }) <= Self.longestNames
      && camera.map { NameRule.allows($0, longest: 128) } != false
      && shown.map(\.isValid) != false
  }

  /// Its values as a stream's record has them: sequence, discontinuity, end, names.
  ///
  /// What older nodes don't know stands beside them: the dates, and a program's camera and what it
  /// shows of one.
  var values: [String] {
    ["\(sequence)", "\(discontinuity)", "\(end)", names.joined(separator: " ")]
  }

  /// Reads values from Redis; nil where they aren't a head.
  init?(values: [String]) {
    guard values.count == 4, values[3].utf8.count <= Self.longestNames,
      let sequence = Int64(values[0]), let discontinuity = Int64(values[1]),
      let end = Int64(values[2])
    else { return nil }
    self.init(
      sequence: sequence, discontinuity: discontinuity, end: end,
      names: values[3].split(separator: " ").map(String.init))
    if !isValid { return nil }
  }

  /// Takes what stands beside the values in a program's record.
  ///
  /// An older node has written the camera as the last of the names, and leaves what stood beside
  /// them.
  ///
  /// - Parameters:
  ///   - text: what is there as the camera; empty for none.
  ///   - shown: what is there as what it shows, which may be of an earlier number.
  mutating func takeCamera(_ text: String, _ shown: String = "") {
    let camera = names.last ?? text
    names = []
    self.camera = NameRule.allows(camera, longest: 128) ? camera : nil
    self.shown = ShownSegment(shown, as: sequence)
  }
}
