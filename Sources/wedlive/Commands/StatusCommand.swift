import ArgumentParser
import Foundation
import HTTPClient
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
    let place = try node ?? options.load().listen.admin.local
    guard let place else {
      throw CommandFailure("listen.admin is off; --node names the admin port of another node")
    }
    let client: HTTPClient
    do throws(HTTPClientError) {
      client = try HTTPClient()
    } catch {
      throw CommandFailure("no request can be made: \(error)")
    }
    defer { client.close() }
    repeat {
      let status = try await Self.ask(place, client)
      if watch, !json { print("\u{1B}[2J\u{1B}[H", terminator: "") }
      if json {
        print(String(decoding: status.json, as: UTF8.self))
      } else {
        print(status.table, terminator: "")
      }
      if watch { try await Task.sleep(for: .seconds(1)) }
    } while watch
  }

  private static func ask(
    _ place: String, _ client: HTTPClient
  ) async throws(CommandFailure) -> ClusterStatus {
    let request = HTTPRequest(method: .get, scheme: "http", authority: place, path: "/api/nodes")
    let response: HTTPResponse
    let body: [UInt8]
    do throws(HTTPClientError) {
      (response, body) = try await client.send(request, deadline: .seconds(5))
    } catch {
      throw CommandFailure(
        "\(place): the node gave no answer (\(error)); does it run, and is that its admin port?")
    }
    if response.status == .notFound {
      throw CommandFailure("\(place): this node is in no cluster: it has no redis.url")
    }
    guard response.status == .ok, let status = ClusterStatus(json: body) else {
      throw CommandFailure("\(place): this is no admin port of a node of this version")
    }
    return status
  }
}
