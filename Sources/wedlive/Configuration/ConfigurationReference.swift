/// Writes the documents that are made from the table.
enum ConfigurationReference {
  /// The reference page, in Markdown.
  static func page() -> String {
    var text = """
      # Configuration

      Every key of a node, what it takes, its default and its environment variable.

      ## Overview

      A node reads one YAML file (`--config FILE`, or the path in `WEDLIVE_CONFIG`), and starts
      without any as well. An environment variable wins over the file, and an option of the command
      (`--data`, `--https`, … or `--set KEY=VALUE`) over both; an empty variable is an unset one.
      Whatever is unknown or unfit is refused, with the name of the key and what was expected:
      `wedlive check FILE` tells without starting anything. A key that a role does nothing with is warned
      of, by the log of a node that starts and by `wedlive check --role origin|edge|standalone FILE`.

      Durations are written `500ms`, `3s`, `5m`, `24h`, `7d`; sizes in bytes `512`, `64k`, `16m`,
      `2g`. Lists are sequences in the file, and separated by commas in a variable.
      Relative paths are seen from where the program is started.

      This page is made from the table that the program itself reads by: `wedlive reference`.

      """
    for section in ConfigurationTable.sections {
      text += "\n## \(section.name)\n\n\(section.summary)\n\n"
      text += "| key | takes | default | environment |\n| --- | --- | --- | --- |\n"
      for key in keys(of: section.name) {
        let standard = key.standard.map { "`\($0)`" } ?? "–"
        text += "| `\(key.path)`<br>\(key.summary) | \(key.takes) | \(standard) "
        text += "| `\(key.environmentName)` |\n"
      }
    }
    return text
  }

  /// A file with every key, at its default or commented out where it has none.
  static func example() -> String {
    var text = """
      # wedlive, one node: every key with its default. Keep the lines that you change.
      # wedlive check standalone.yaml && wedlive standalone --config standalone.yaml

      """
    for section in ConfigurationTable.sections {
      text += "\n# \(section.summary)\n\(section.name):\n"
      var group = [section.name]
      for key in keys(of: section.name) {
        let above = key.components.dropLast()
        if !above.elementsEqual(group) {
          group = Array(above)
          let depth = String(repeating: "  ", count: group.count - 1)
          text += "\n\(depth)\(group.last ?? ""):\n"
        }
        let indent = String(repeating: "  ", count: group.count)
        let name = key.components.last ?? key.path
        text += "\(indent)# \(key.summary)\n"
        if let standard = key.standard {
          text += "\(indent)\(name): \(scalar(standard))\n"
        } else {
          let example = key.example ?? ""
          let value = key.isList ? "[\(scalar(example))]" : scalar(example)
          text += "\(indent)# \(name): \(value)\n"
        }
      }
    }
    return text
  }

  private static func keys(of section: String) -> [ConfigurationKey] {
    ConfigurationTable.keys.filter { $0.components.first == section }
  }

  /// A YAML scalar: plain where that reads back as the same text.
  private static func scalar(_ text: String) -> String {
    let isPlain = text.first.map { $0.isLetter || $0.isNumber || $0 == "/" } ?? false
    return isPlain && !text.contains(": ") && !text.contains("#") ? text : "\"\(text)\""
  }
}
