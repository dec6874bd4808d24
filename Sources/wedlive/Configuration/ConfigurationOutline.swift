import Yams

/// The keys that a YAML file has, with the lines they stand on.
///
/// swift-configuration reads values by name and can't say what else is in a file.
struct ConfigurationOutline {
  enum Shape: Equatable { case scalar, list, empty, mapping, other }

  struct Entry: Equatable {
    let path: String
    let line: Int?
    let shape: Shape
  }

  /// Every key, the sections too, in the order of the file.
  let entries: [Entry]
  /// Whether the file has nothing in it.
  let isEmpty: Bool

  /// Reads a file's text.
  ///
  /// - Throws: `YamlError`, or `NotAMapping` where the text is YAML but not a set of keys.
  init(yaml: String) throws {
    guard let root = try Yams.compose(yaml: yaml), root.tag != Tag(.null) else {
      entries = []
      isEmpty = true
      return
    }
    guard let mapping = root.mapping else {
      throw NotAMapping(line: root.mark?.line)
    }
    var entries: [Entry] = []
    Self.walk(mapping, under: "", into: &entries)
    self.entries = entries
    isEmpty = entries.isEmpty
  }

  struct NotAMapping: Error {
    let line: Int?
  }

  private static func walk(
    _ mapping: Node.Mapping, under prefix: String, into entries: inout [Entry]
  ) {
    for (key, value) in mapping {
      let path = prefix + (key.string ?? "?")
      let shape: Shape
      switch value {
      case .mapping: shape = .mapping
      case .sequence(let sequence):
        shape = sequence.allSatisfy { $0.scalar != nil } ? .list : .other
      case .scalar: shape = value.tag == Tag(.null) ? .empty : .scalar
      case .alias: shape = .other
      }
      entries.append(Entry(path: path, line: key.mark?.line, shape: shape))
      if let mapping = value.mapping { walk(mapping, under: path + ".", into: &entries) }
    }
  }
}
