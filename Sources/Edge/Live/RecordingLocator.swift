/// Finds the node that keeps a recording.
package struct RecordingLocator: Sendable {
  /// Which recording.
  package struct Name: Hashable, Sendable {
    package let wedding: String
    package let id: String

    /// The recording whose file it is: `/hls/{wedding}/recordings/{id}/{file}`; nil for another
    /// path.
    init?(path: String) {
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 6, parts[0].isEmpty, parts[1] == "hls", parts[3] == "recordings",
        !parts[2].isEmpty, !parts[4].isEmpty
      else { return nil }
      wedding = String(parts[2])
      id = String(parts[4])
    }
  }

  /// Where it is.
  package enum Place: Sendable, Equatable {
    /// There; in words what is wrong where that doesn't answer.
    case node(Upstream, words: String)
    /// Nowhere that can be asked now; why.
    case away(words: String)
    /// Nobody has it.
    case nobody
  }

  /// What is known without asking anybody; nil where somebody has to be asked.
  let known: @Sendable (Name) -> Place?
  let find: @Sendable (Name) async -> Place

  package init(
    known: @escaping @Sendable (Name) -> Place?, find: @escaping @Sendable (Name) async -> Place
  ) {
    self.known = known
    self.find = find
  }
}
