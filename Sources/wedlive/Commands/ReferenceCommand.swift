import ArgumentParser
import Foundation

/// `wedlive reference`: writes the documents that are made from the table of keys.
struct ReferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference",
    abstract: "Print every key of the configuration.",
    discussion: "Markdown as a rule; with --yaml, a configuration file with every default.")

  @Flag(help: "Print a configuration file instead of the page.")
  var yaml = false

  @Option(
    help: ArgumentHelp(
      "Write both documents into a checkout of the project.", visibility: .hidden))
  var write: String?

  func run() throws {
    guard let write else {
      print(yaml ? ConfigurationReference.example() : ConfigurationReference.page(), terminator: "")
      return
    }
    let root = URL(filePath: write)
    for (path, text) in [
      ("Sources/wedlive/Documentation.docc/Configuration.md", ConfigurationReference.page()),
      ("cluster/examples/standalone.yaml", ConfigurationReference.example()),
    ] {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }
}
