import ArgumentParser
import Glibc

/// `wedlive standalone`: a whole node in one process.
struct StandaloneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "standalone",
    abstract: "Run a node: take streams over RTMP and play them to browsers.",
    discussion: """
      Starts with nothing but a folder to write to: the secret for tokens and a self-signed \
      certificate are made at the first start. SIGTERM or ^C ends it once responses under way are \
      finished; SIGHUP reads the certificate again.
      """)

  @OptionGroup var options: ConfigurationOptions

  @Flag(help: "Publish a test picture, and print the address to watch it at.")
  var demo = false

  /// Makes SIGHUP and SIGUSR2 mean nothing until the node is up, and can do what they ask for.
  ///
  /// `CertificateService` and `UpgradeService` hear them from then on.
  static func ignoreSignals() {
    signal(SIGHUP, SIG_IGN)
    signal(SIGUSR2, SIG_IGN)
  }

  func run() async throws {
    Self.ignoreSignals()
    do {
      let inheritance = try Inheritance.take()
      let reading = try options.read()
      try await Standalone.run(
        reading, options: StandaloneOptions(demo: demo), after: inheritance)
    } catch let error as StartFailure {
      throw CommandFailure(error.description)
    }
  }
}
