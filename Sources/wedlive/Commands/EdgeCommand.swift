import ArgumentParser

/// `wedlive edge`: a node that viewers meet.
struct EdgeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edge",
    abstract: "Run an edge: a cache in front of origins that viewers meet.",
    discussion: """
      Stands in front of what edge.upstreams names, which may be any HTTP servers, and keeps what may \
      be kept in memory and on disk (RFC 9111). SIGTERM or ^C ends it once responses under way are \
      finished; SIGHUP reads the certificate again.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    StandaloneCommand.ignoreSignals()
    do {
      let inheritance = try Inheritance.take()
      let configuration = try options.load()
      try await EdgeRole.run(configuration: configuration, after: inheritance)
    } catch let error as StartFailure {
      throw CommandFailure(error.description)
    }
  }
}
