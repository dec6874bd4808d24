/// Which qualities each plan has.
///
/// A stream is made in the qualities of its publisher's plan; a viewer whose token names a plan
/// gets those of them that are in that one, too.
package struct Plans: Sendable, Equatable {
  /// One plan: its name in tokens, and the renditions that it has.
  package struct Plan: Sendable, Equatable {
    package var name: String
    package var renditions: [String]
    /// How many cameras a wedding may have, its main one among them.
    package var cameras: Int

    package init(name: String, renditions: [String], cameras: Int = .max) {
      self.name = name
      self.renditions = renditions
      self.cameras = cameras
    }
  }

  /// A viewer's or publisher's plan, as a number: 0 is none, which limits nothing.
  package typealias Number = Int

  /// As numbers from 1 on.
  package let plans: [Plan]
  /// The plan of publishers whose token names none that there is.
  package let standard: Number

  /// Makes the plans.
  ///
  /// - Parameters:
  ///   - plans: at most 31.
  ///   - standard: the name of the plan of publishers whose token names none; one that isn't there
  ///     limits nothing.
  package init(_ plans: [Plan] = [], standard: String = "") {
    self.plans = Array(plans.prefix(31))
    self.standard = (self.plans.firstIndex { $0.name == standard } ?? -1) + 1
  }

  /// The plans that a node has unless it is told otherwise.
  package static let defaults = Plans(
    [
      Plan(name: "free", renditions: ["240p", "360p", "480p"], cameras: 1),
      Plan(
        name: "premium", renditions: ["240p", "360p", "480p", "720p", "1080p", "4k", "source"],
        cameras: 16),
    ], standard: "premium")

  /// The plan of a publisher.
  package func number(ofPublisher name: String?) -> Number {
    let known = number(ofViewer: name)
    return known == 0 ? standard : known
  }

  /// The plan of a viewer; 0 for a token that names none that there is.
  package func number(ofViewer name: String?) -> Number {
    guard let name, !name.isEmpty else { return 0 }
    return (plans.firstIndex { $0.name == name } ?? -1) + 1
  }

  /// Whether a plan has a rendition.
  package func allows(_ rendition: String, in number: Number) -> Bool {
    guard number > 0, number <= plans.count else { return true }
    return plans[number - 1].renditions.contains(rendition)
  }

  /// How many cameras a wedding of a plan may have.
  package func cameras(in number: Number) -> Int {
    guard number > 0, number <= plans.count else { return .max }
    return plans[number - 1].cameras
  }

  /// The name of a plan; nil for none.
  package func name(_ number: Number) -> String? {
    number > 0 && number <= plans.count ? plans[number - 1].name : nil
  }

  /// The names of the plans that a set of viewers has.
  ///
  /// - Parameter viewers: bit n is plan n.
  /// - Returns: in the order of the plans.
  package func names(in viewers: UInt32) -> [String] {
    plans.indices.filter { viewers >> UInt32($0 + 1) & 1 == 1 }.map { plans[$0].name }
  }

  /// Which viewers may have a rendition of a stream: bit n is plan n.
  package func viewers(of rendition: String, publisher: Number) -> UInt32 {
    guard allows(rendition, in: publisher) else { return 0 }
    return (0...plans.count).reduce(into: 0) { bits, number in
      if allows(rendition, in: number) { bits |= 1 << UInt32(number) }
    }
  }
}
