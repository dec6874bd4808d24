import ArgumentParser
import Foundation
import Transcode

/// `wedlive publish-worker`: the child that makes media; started by the program itself.
struct PublishWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: PublishWorker.command,
    abstract: "Make media for a parent process.", shouldDisplay: false)

  @Argument(parsing: .allUnrecognized)
  var words: [String] = []

  func run() throws {
    throw ExitCode(PublishWorker.main(arguments: words))
  }
}
