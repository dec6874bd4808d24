import ArgumentParser
import Transcode

/// `wedlive transcode-worker`: the child that makes the quality ladder; started by the node itself.
struct TranscodeWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: TranscodeWorker.command,
    abstract: "Make a stream's other qualities for a parent process.", shouldDisplay: false)

  @Argument(parsing: .allUnrecognized)
  var words: [String] = []

  func run() throws {
    TranscodeWorker.main(arguments: words)
  }
}
