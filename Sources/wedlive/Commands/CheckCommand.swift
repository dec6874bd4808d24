import ArgumentParser

/// `wedlive check FILE`: like `nginx -t`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a configuration file without starting anything.",
    discussion: """
      Prints one line for each thing that is wrong, with the file's line, and ends with status 1; \
      or prints OK. Environment variables count as they would for a node. The files that the \
      configuration names are opened, the certificate is held against its key, and the encoder is \
      looked for in libavcodec. No address is asked.
      """)

  @Argument(help: ArgumentHelp("The YAML file.", valueName: "file"))
  var file: String

  func run() async throws {
    let reading = ConfigurationLoader(file: file).read()
    let contents = await ConfigurationContents(reading)
    let faults = reading.faults + contents.faults
    for warning in contents.warnings { print("\(file): warning: \(warning)") }
    guard faults.isEmpty else {
      for fault in faults { print(fault) }
      throw ExitCode.failure
    }
    print("\(file): OK")
  }
}
