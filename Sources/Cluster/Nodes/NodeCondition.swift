/// What a node says of how it is: what those of older versions neither say nor read.
///
/// It stands beside the record's other values, under a seal of its own, so that nodes of both kinds
/// have the rest of each other's records.
package struct NodeCondition: Equatable, Sendable {
  /// Why others are to be preferred to it, in a sentence without its full stop; nil: all is well.
  package var fault: String?
  /// What an operator should know though it is well; nil: nothing.
  package var remark: String?
  /// Tells its `auth.secret` from others, to those who have the cluster's (`RecordSeal.mark`); nil:
  /// it says nothing of it.
  package var secretMark: String?

  package init(fault: String? = nil, remark: String? = nil, secretMark: String? = nil) {
    self.fault = fault
    self.remark = remark
    self.secretMark = secretMark
  }

  /// How long each may be, in bytes.
  static let longest = 400
  /// How long all of it may be as it stands in Redis, with what newer versions add.
  static let longestText = 1_024

  /// The same with nothing in it that can't be said: line ends, and what is too long.
  var sayable: NodeCondition {
    NodeCondition(
      fault: fault.map(Self.sayable), remark: remark.map(Self.sayable), secretMark: secretMark)
  }

  private static func sayable(_ text: String) -> String {
    var said = ""
    for character in text {
      let next = isVisible(character) ? character : " "
      guard said.utf8.count + next.utf8.count <= longest else { break }
      said.append(next)
    }
    return said
  }

  private static func isVisible(_ character: Character) -> Bool {
    character.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
  }

  // MARK: As it stands in Redis

  /// A line for each thing that is said, its name before it; empty: nothing.
  var text: String {
    [("fault", fault), ("remark", remark), ("secret", secretMark)]
      .compactMap { name, words in words.map { "\(name)=\($0)" } }.joined(separator: "\n")
  }

  /// Reads one; what has a name that isn't known is a newer version's.
  ///
  /// - Returns: nil where no node would have written it.
  init?(text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) where !text.isEmpty {
      guard let sign = line.firstIndex(of: "=") else { return nil }
      let words = String(line[line.index(after: sign)...])
      guard words.utf8.count <= Self.longest, words.allSatisfy(Self.isVisible) else { return nil }
      switch line[..<sign] {
      case "fault": fault = words
      case "remark": remark = words
      case "secret": secretMark = words
      default: break
      }
    }
  }
}
