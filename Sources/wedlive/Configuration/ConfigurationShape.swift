/// Holds what a file has against the table: unknown keys, keys where sections are due and so on.
struct ConfigurationShape {
  let file: String
  let outline: ConfigurationOutline

  func faults() -> [ConfigurationFault] {
    let paths = ConfigurationTable.keys.map(\.path)
    let sections = ConfigurationTable.groups
    var faults: [ConfigurationFault] = []
    var reported: [String] = []
    for entry in outline.entries {
      guard !reported.contains(where: { entry.path.hasPrefix("\($0).") }) else { continue }
      var problem: String?
      var suggestion: String?
      if let key = ConfigurationTable.key(entry.path) {
        problem = self.problem(key, entry.shape)
      } else if sections.contains(entry.path) {
        if entry.shape != .mapping, entry.shape != .empty {
          problem =
            "expected keys under it, such as \(paths.first { $0.hasPrefix(entry.path + ".") } ?? "")"
        }
      } else {
        let isSection = entry.shape == .mapping
        problem = isSection ? "no such section" : "no such key"
        suggestion = suggest(entry.path, isSection: isSection)
      }
      guard let problem else { continue }
      reported.append(entry.path)
      faults.append(
        ConfigurationFault(
          place: .file(file, line: entry.line), key: entry.path, problem: problem,
          suggestion: suggestion))
    }
    return faults
  }

  private func problem(
    _ key: ConfigurationKey, _ shape: ConfigurationOutline.Shape
  ) -> String? {
    switch shape {
    case .scalar: nil
    case .list: key.isList ? nil : "expected \(key.takes), not a list"
    case .empty: "has no value; expected \(key.takes)"
    case .mapping: "expected \(key.takes), not keys under it"
    case .other: "expected \(key.takes)"
    }
  }

  /// The nearest name; else a key that is called the same in another section.
  private func suggest(_ path: String, isSection: Bool) -> String? {
    let paths = ConfigurationTable.keys.map(\.path)
    if isSection { return NearestName.of(path, among: ConfigurationTable.groups.sorted()) }
    let last = path.split(separator: ".").last.map(String.init) ?? path
    return NearestName.of(path, among: paths) ?? paths.first { $0.hasSuffix(".\(last)") }
  }
}
