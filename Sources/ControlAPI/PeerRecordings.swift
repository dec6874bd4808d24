import Foundation
package import HTTPServer
package import HTTPTypes

/// What nodes of a cluster ask each other about recordings: `/cluster/recordings/…`.
///
/// A node that is asked so answers of its own recordings alone, and hands nothing on: two that are
/// wrong about each other can't send a call around.
package enum PeerRecordings {
  /// A question.
  package enum Question: Sendable, Equatable {
    /// Whether it has a recording.
    case has(String)
    case complete(String)
    case delete(String)
    case start(wedding: String, camera: String)
    case stop(wedding: String, camera: String)
  }

  package static let path = "/cluster/recordings/"
  private static let streams = "streams"

  private struct Removal: Codable {
    var deleted: Bool
    var reason: String?
  }

  private struct Failure: Decodable {
    struct Inner: Decodable {
      var code: String
      var message: String
    }
    var error: Inner
  }

  // MARK: Who is asked

  /// Answers other nodes; who they are is somebody else's to find out.
  ///
  /// - Parameter own: the node's recordings.
  /// - Returns: what answers a question.
  package static func call(_ own: any RecordingDirectory) -> APICall {
    APICall(bodyLimit: 0) { request in
      guard let question = question(request.request) else {
        return .error(.notFound, code: "not_found", message: "There is nothing at this address.")
      }
      do throws(APIError) {
        return try await answer(question, own)
      } catch {
        return error.response
      }
    }
  }

  private static func answer(
    _ question: Question, _ own: any RecordingDirectory
  ) async throws(APIError) -> APIResponse {
    switch question {
    case .has(let id): .json(try await own.recording(id))
    case .complete(let id): .json(try await own.complete(id))
    case .start(let wedding, let camera):
      .json(try await own.start(wedding: wedding, camera: camera))
    case .stop(let wedding, let camera): .json(try await own.stop(wedding: wedding, camera: camera))
    case .delete(let id):
      switch try await own.delete(id) {
      case .deleted: .json(Removal(deleted: true))
      case .underWay(let reason): .json(Removal(deleted: false, reason: reason))
      }
    }
  }

  private static func question(_ request: HTTPRequest) -> Question? {
    let path = (request.path ?? "").prefix { $0 != "?" }
    guard path.hasPrefix(Self.path) else { return nil }
    let parts = path.dropFirst(Self.path.count).split(
      separator: "/", omittingEmptySubsequences: false
    ).map(String.init)
    switch (request.method, parts.count) {
    case (.get, 1): return .has(parts[0])
    case (.delete, 1): return .delete(parts[0])
    case (.post, 2) where parts[1] == "complete": return .complete(parts[0])
    case (.post, 4) where parts[0] == streams && parts[3] == "start":
      return .start(wedding: parts[1], camera: parts[2])
    case (.post, 4) where parts[0] == streams && parts[3] == "stop":
      return .stop(wedding: parts[1], camera: parts[2])
    default: return nil
    }
  }

  // MARK: Who asks

  /// How a question is put: method and path.
  package static func request(
    _ question: Question
  ) -> (method: HTTPRequest.Method, path: String) {
    switch question {
    case .has(let id): (.get, path + id)
    case .delete(let id): (.delete, path + id)
    case .complete(let id): (.post, "\(path)\(id)/complete")
    case .start(let wedding, let camera): (.post, "\(path)\(streams)/\(wedding)/\(camera)/start")
    case .stop(let wedding, let camera): (.post, "\(path)\(streams)/\(wedding)/\(camera)/stop")
    }
  }

  /// Reads the answer to `has` and `complete`.
  ///
  /// - Throws: as the other node says, and 502 for what is no answer.
  package static func info(_ status: Int, _ body: [UInt8]) throws(APIError) -> RecordingInfo {
    try check(status, body)
    guard let info = RecordingInfo(json: body) else { throw unreadable }
    return info
  }

  /// Reads the answer to `start` and `stop`.
  package static func infos(_ status: Int, _ body: [UInt8]) throws(APIError) -> [RecordingInfo] {
    try check(status, body)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let infos = try? decoder.decode([RecordingInfo].self, from: Data(body)) else {
      throw unreadable
    }
    return infos
  }

  /// Reads the answer to `delete`.
  package static func removal(
    _ status: Int, _ body: [UInt8]
  ) throws(APIError) -> RecordingRemoval {
    try check(status, body)
    guard let removal = try? JSONDecoder().decode(Removal.self, from: Data(body)) else {
      throw unreadable
    }
    return removal.deleted ? .deleted : .underWay(removal.reason)
  }

  private static let unreadable = APIError(
    502, "bad_node", "The node that has it answers something else: is it of this version?")

  private static func check(_ status: Int, _ body: [UInt8]) throws(APIError) {
    if status == 200 { return }
    let failure = try? JSONDecoder().decode(Failure.self, from: Data(body))
    guard let failure, (400..<600).contains(status) else { throw unreadable }
    throw APIError(status, failure.error.code, failure.error.message)
  }
}
