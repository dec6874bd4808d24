/// The name of a node, one in its cluster: `node.id` of its configuration.
package struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  /// Takes a name.
  ///
  /// - Parameter text: 1 to 64 letters, digits, `-`, `_` and `.` (not first); nil for another.
  package init?(_ text: some StringProtocol) {
    guard NameRule.allows(text, longest: 64) else { return nil }
    self.text = String(text)
  }

  package static func < (left: NodeID, right: NodeID) -> Bool { left.text < right.text }

  package var description: String { text }

  /// Where its record is.
  var key: String { "wl:node:{\(text)}" }
}
