import ArgumentParser

/// `wedlive origin`: a node that edges send publishers to.
struct OriginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "origin",
    abstract: "Run an origin of a cluster: take streams, and give them to edges.",
    discussion: """
      Does what `wedlive standalone` does, and meets the cluster's other nodes at redis.url. Needs \
      cluster.secret and auth.secret, the same on all nodes.

      SIGTERM or ^C has edges take its streams to other origins, and ends it; SIGHUP reads the \
      certificates again; SIGUSR2 has the program that stands now at its path go on with it.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    StandaloneCommand.ignoreSignals()
    do {
      let inheritance = try Inheritance.take()
      let reading = try options.read()
      try await Standalone.run(
        reading, options: StandaloneOptions(isOrigin: true),
        after: inheritance)
    } catch let error as StartFailure {
      throw CommandFailure(error.description)
    }
  }
}
