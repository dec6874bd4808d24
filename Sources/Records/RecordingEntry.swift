/// One recording, as its node tells the others of it.
package struct RecordingEntry: Sendable, Equatable {
  package var id: String
  package var wedding: String
  /// Whose disk has it, or whose storage: the one that answers for it.
  package var node: String
  /// Until when it is believed unless its node says so again, in milliseconds since 1970.
  package var until: Int64
  /// What the API shows of it, as JSON.
  package var document: String

  package init(id: String, wedding: String, node: String, until: Int64, document: String) {
    self.id = id
    self.wedding = wedding
    self.node = node
    self.until = until
    self.document = document
  }
}
