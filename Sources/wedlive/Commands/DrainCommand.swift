import ArgumentParser
import Foundation
import HTTPTypes

/// `wedlive drain`: a node takes nothing new, hands over what it has, and ends.
struct DrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "Drain a node: its streams and viewers go to others, and it ends.",
    discussion: """
      Asks a node's admin port, which is that of the configuration (or --node), and which passes it on \
      to the node that is named. Without a name it is that node itself, of a cluster or not. The node \
      says that it isn't ready, hands its streams to other origins (shutdown.hand_over), lets what is \
      under way finish (shutdown.drain), and ends: something else has to start it again.
      """)

  @Argument(help: ArgumentHelp("The node's name (node.id).", valueName: "name"))
  var name: String?

  @Option(help: ArgumentHelp("The admin port of any node.", valueName: "host:port"))
  var node: String?

  @Flag(help: "Wait until the node has ended.")
  var wait = false

  @Option(help: ArgumentHelp("How long --wait waits.", valueName: "seconds"))
  var within = 300

  @OptionGroup(title: "Whose admin port") var options: ConfigurationOptions

  func run() async throws {
    let port = try AdminPort(node, options)
    defer { port.close() }
    try await ask(port)
    guard wait else { return print("draining") }
    let limit = ContinuousClock.now + .seconds(within)
    while await isThere(port) {
      guard ContinuousClock.now < limit else {
        throw CommandFailure("it has not ended within \(within) s; it goes on with that")
      }
      try await Task.sleep(for: .milliseconds(250))
    }
    print("drained")
  }

  private func ask(_ port: AdminPort) async throws(CommandFailure) {
    if let name, !ConfigurationRules.isNodeID(name) {
      throw CommandFailure("\(name): no node has such a name")
    }
    let (response, body) = try await port.ask(
      name.map { "/drain?node=\($0)" } ?? "/drain", method: .post)
    guard response.status == .accepted else {
      throw CommandFailure("\(port.place): \(Self.words(body) ?? "status \(response.status.code)")")
    }
  }

  /// Whether the node is still seen; the one that is asked itself is there for as long as it
  /// answers.
  private func isThere(_ port: AdminPort) async -> Bool {
    guard let (_, body) = try? await port.ask("/api/nodes") else { return false }
    guard let status = ClusterStatus(json: body) else { return true }
    return status.nodes.contains {
      $0.id == name ?? status.node && !["down", "drained"].contains($0.status)
    }
  }

  /// What an answer says to a person.
  private static func words(_ body: [UInt8]) -> String? {
    struct Answer: Decodable {
      struct Problem: Decodable { var message: String }
      var error: Problem
    }
    return (try? JSONDecoder().decode(Answer.self, from: Data(body)))?.error.message
  }
}
