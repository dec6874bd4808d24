import ArgumentParser
import Foundation
import Transcode

/// `wedlive remux-worker`: the child that makes movies of recordings; started by the node itself.
struct RemuxWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: RemuxWorker.command,
    abstract: "Make movies of a recording for a parent process.", shouldDisplay: false)

  @Argument(parsing: .allUnrecognized)
  var words: [String] = []

  func run() throws {
    throw ExitCode(RemuxWorker.main(arguments: words))
  }
}
