import ArgumentParser
import HTTPTypes

/// `wedlive status`: the nodes of a cluster as one of them sees them.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the nodes of a cluster.",
    discussion: """
      Asks a node's admin port, which is that of the configuration: run it where a node runs, or \
      with --node.
      """)

  @Option(help: ArgumentHelp("The admin port of a node.", valueName: "host:port"))
  var node: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print it again every second, until ^C.")
  var watch = false

  @OptionGroup(title: "Whose admin port") var options: ConfigurationOptions

  func run() async throws {
    let port = try AdminPort(node, options)
    defer { port.close() }
    repeat {
      let status = try await Self.status(of: port)
      if watch, !json { print("\u{1B}[2J\u{1B}[H", terminator: "") }
      if json {
        print(String(decoding: status.json, as: UTF8.self))
      } else {
        print(status.table, terminator: "")
      }
      if watch { try await Task.sleep(for: .seconds(1)) }
    } while watch
  }

  private static func status(of port: AdminPort) async throws(CommandFailure) -> ClusterStatus {
    let (response, body) = try await port.ask("/api/nodes")
    if response.status == .notFound {
      throw CommandFailure("\(port.place): this node is in no cluster: it has no redis.url")
    }
    guard response.status == .ok, let status = ClusterStatus(json: body) else {
      throw CommandFailure("\(port.place): this is no admin port of a node of this version")
    }
    return status
  }
}
