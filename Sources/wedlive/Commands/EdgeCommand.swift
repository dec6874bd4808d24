import ArgumentParser

/// `wedlive edge`: a node that viewers meet.
struct EdgeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edge",
    abstract: "Run an edge: what the viewers and publishers of a cluster meet.",
    discussion: """
      With redis.url it is one of a cluster's: it finds the origins there, plays their streams and \
      recordings, and takes publishers for them; it needs cluster.secret and auth.secret, the same on \
      all nodes. Without, it stands in front of what edge.upstreams names, which may be any HTTP \
      servers. It keeps what may be kept in memory and on disk (RFC 9111).

      SIGTERM or ^C ends it once responses under way are finished and publishers have been told to come \
      back elsewhere; SIGHUP reads the certificates again; SIGUSR2 has the program that stands now at \
      its path go on with it.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    StandaloneCommand.ignoreSignals()
    do {
      let inheritance = try Inheritance.take()
      let reading = try options.read()
      try await EdgeRole.run(reading, after: inheritance)
    } catch let error as StartFailure {
      throw CommandFailure(error.description)
    }
  }
}
