import HTTPClient
import HTTPTypes

/// The admin port of a node, as commands ask it.
struct AdminPort {
  let place: String
  private let client: HTTPClient

  /// - Parameters:
  ///   - node: `host:port`; nil takes that of the configuration.
  ///   - options: of the command.
  /// - Throws: `CommandFailure` where there is none.
  init(_ node: String?, _ options: ConfigurationOptions) throws {
    guard let place = try node ?? options.load().listen.admin.local else {
      throw CommandFailure("listen.admin is off; --node names the admin port of another node")
    }
    self.place = place
    do throws(HTTPClientError) {
      client = try HTTPClient()
    } catch {
      throw CommandFailure("no request can be made: \(error)")
    }
  }

  func close() { client.close() }

  /// Asks it, and says what helps where it gives no answer.
  func ask(
    _ path: String, method: HTTPRequest.Method = .get
  ) async throws(CommandFailure) -> (HTTPResponse, [UInt8]) {
    let request = HTTPRequest(method: method, scheme: "http", authority: place, path: path)
    do throws(HTTPClientError) {
      return try await client.send(request, deadline: .seconds(10))
    } catch {
      throw CommandFailure(
        "\(place): the node gave no answer (\(error)); does it run, and is that its admin port?"
          + " --node HOST:PORT names another, --config the node's own file")
    }
  }
}
