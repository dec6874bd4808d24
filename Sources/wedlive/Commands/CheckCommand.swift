import ArgumentParser
import Cluster

/// `wedlive check FILE`: like `nginx -t`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a configuration file without starting anything.",
    discussion: """
      Prints one line for each thing that is wrong, with the file's line, and ends with status 1; \
      or prints OK. Environment variables count as they would for a node. The files that the \
      configuration names are opened, the certificate is held against its key, and the encoder is \
      looked for in libavcodec. No address is asked. With --role it also says what such a node would \
      not start with, and which keys it does nothing with.
      """)

  @Argument(help: ArgumentHelp("The YAML file.", valueName: "file"))
  var file: String

  @Option(
    help: ArgumentHelp(
      "What is to be started with it: standalone, origin or edge.", valueName: "role"))
  var role: Role?

  /// As the commands are called.
  enum Role: String, ExpressibleByArgument, CaseIterable {
    case standalone, origin, edge

    var node: NodeRole {
      switch self {
      case .standalone: .standalone
      case .origin: .origin
      case .edge: .edge
      }
    }
  }

  func run() async throws {
    let reading = ConfigurationLoader(file: file).read()
    let contents = await ConfigurationContents(reading)
    var faults = reading.faults + contents.faults
    for warning in contents.warnings { print("\(file): warning: \(warning)") }
    if let role {
      faults += RoleConsistency.faults(reading, role.node, file: file)
      for unused in RoleConsistency.unused(reading, role.node) {
        print("\(unused.place): warning: \(unused.key): \(unused.problem)")
      }
    }
    guard faults.isEmpty else {
      for fault in faults { print(fault) }
      throw ExitCode.failure
    }
    print("\(file): OK")
  }
}
