import ArgumentParser

/// The program: one binary for the node and its tools.
@main struct Wedlive: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wedlive",
    abstract: "Live streaming in one program: publish over RTMP, watch in a browser.",
    discussion: """
      A first stream, on this machine:

        wedlive standalone --demo

      and then for real:

        wedlive standalone --data /var/lib/wedlive
        wedlive token publish --wedding anna-ben --data /var/lib/wedlive
        wedlive publish rtmp://localhost/live/TOKEN
      """,
    version: Version.current,
    subcommands: [
      StandaloneCommand.self, OriginCommand.self, EdgeCommand.self, CheckCommand.self,
      StatusCommand.self, DrainCommand.self,
      TokenCommand.self,
      PublishCommand.self,
      CertsCommand.self, ReferenceCommand.self, PublishWorkerCommand.self,
      TranscodeWorkerCommand.self, RemuxWorkerCommand.self, StorageCommand.self,
    ])
}
