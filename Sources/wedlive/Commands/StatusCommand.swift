import ArgumentParser
import Foundation
import HTTPTypes
import Origin

/// `wedlive status`: the nodes of a cluster as one of them sees them, or the streams of one node.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the nodes of a cluster, or the streams of a node.",
    discussion: """
      Asks a node's admin port, which is that of the configuration: run it where a node runs, or \
      with --node.
      """)

  @Option(help: ArgumentHelp("The admin port of a node.", valueName: "host:port"))
  var node: String?

  @Flag(help: "Show the node's streams, and what it sends of each.")
  var streams = false

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print it again every second, until ^C.")
  var watch = false

  @OptionGroup(title: "Whose admin port") var options: ConfigurationOptions

  func run() async throws {
    let port = try AdminPort(node, options)
    defer { port.close() }
    repeat {
      let text = try await streams ? streamText(of: port) : nodeText(of: port)
      if watch, !json { print("\u{1B}[2J\u{1B}[H", terminator: "") }
      print(text, terminator: "")
      // Into a file or a pipe it would wait for more.
      fflush(nil)
      if watch { try await Task.sleep(for: .seconds(1)) }
    } while watch
  }

  private func nodeText(of port: AdminPort) async throws(CommandFailure) -> String {
    let status = try await Self.status(of: port)
    return json ? String(decoding: status.json, as: UTF8.self) + "\n" : status.table
  }

  private func streamText(of port: AdminPort) async throws(CommandFailure) -> String {
    let (response, body) = try await port.ask("/api/status")
    guard response.status == .ok,
      let status = try? JSONDecoder().decode(NodeStatus.self, from: Data(body))
    else { throw Self.otherVersion(port) }
    return json ? String(decoding: body, as: UTF8.self) + "\n" : status.streamTable
  }

  private static func otherVersion(_ port: AdminPort) -> CommandFailure {
    CommandFailure("\(port.place): this is no admin port of a node of this version")
  }

  private static func status(of port: AdminPort) async throws(CommandFailure) -> ClusterStatus {
    let (response, body) = try await port.ask("/api/nodes")
    if response.status == .notFound {
      throw CommandFailure("\(port.place): this node is in no cluster: it has no redis.url")
    }
    guard response.status == .ok, let status = ClusterStatus(json: body) else {
      throw otherVersion(port)
    }
    return status
  }
}
