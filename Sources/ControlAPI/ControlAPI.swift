package import Access
import Foundation
package import HTTPServer
import HTTPTypes
package import Logging
package import Telemetry

/// The REST routes that WedLive's backend and its viewers call, as functions from a request to an
/// answer: no socket, so they are tested without one.
///
/// Everything but a viewer's own questions, and the two calls that a stream key itself proves,
/// needs a service token in `Authorization: Bearer`.
package final class ControlAPI: Sendable {
  /// The largest body that a route takes.
  package static let bodyLimit = 64 << 10

  /// What the routes need; all of it may be used from any thread.
  package struct Parts: Sendable {
    /// Where whoever asks is to send publishers and viewers.
    package var addresses: @Sendable (APIRequest) -> PublicAddresses
    package var verifier: TokenVerifier
    /// Makes tokens; nil where only a key set is configured.
    package var issuer: TokenIssuer?
    /// Whether viewers need a token (`access.watch: token`).
    package var watchNeedsToken: Bool
    package var directory: any StreamDirectory
    /// Nil where segments are not encrypted.
    package var keys: (any StreamKeyDirectory)?
    package var locks: any WeddingLockDirectory
    package var cameras: any CameraDirectory
    /// Nil where nothing is recorded.
    package var recordings: (any RecordingDirectory)?
    /// Nil where nobody keeps anything of this node's.
    package var purges: (any PurgeDirectory)?
    /// How many keys one client gets in ten seconds.
    package var keysPerClient: Int
    /// Which qualities viewers' plans have.
    package var plans: Plans
    /// The qualities that are made of sources large enough for them.
    package var rungs: [LadderQuality]
    /// What viewers have chosen.
    package var choices: ViewerChoices
    package var metrics: MetricRegistry
    package var log: Logger
    /// Seconds since 1970.
    package var now: @Sendable () -> Int64

    package init(
      addresses: @escaping @Sendable (APIRequest) -> PublicAddresses, verifier: TokenVerifier,
      issuer: TokenIssuer?,
      watchNeedsToken: Bool, directory: any StreamDirectory,
      keys: (any StreamKeyDirectory)? = nil, locks: any WeddingLockDirectory,
      cameras: any CameraDirectory,
      recordings: (any RecordingDirectory)? = nil, purges: (any PurgeDirectory)? = nil,
      keysPerClient: Int = 2_000,
      plans: Plans = .defaults, rungs: [LadderQuality] = [],
      choices: ViewerChoices = ViewerChoices(), metrics: MetricRegistry,
      log: Logger,
      now: @escaping @Sendable () -> Int64 = { LogTime.now.milliseconds / 1000 }
    ) {
      self.addresses = addresses
      self.verifier = verifier
      self.issuer = issuer
      self.watchNeedsToken = watchNeedsToken
      self.directory = directory
      self.keys = keys
      self.locks = locks
      self.cameras = cameras
      self.recordings = recordings
      self.purges = purges
      self.keysPerClient = keysPerClient
      self.plans = plans
      self.rungs = rungs
      self.choices = choices
      self.metrics = metrics
      self.log = log
      self.now = now
    }
  }

  let parts: Parts
  let keyLimiter: CallLimiter
  let wrongKeyLimiter = CallLimiter(limit: wrongKeyRequests, seconds: keyWindowSeconds)

  package init(_ parts: Parts) {
    self.parts = parts
    keyLimiter = CallLimiter(limit: parts.keysPerClient, seconds: Self.keyWindowSeconds)
  }

  /// For the HTTP server: reads bodies up to the limit and runs `handle`.
  package var call: APICall {
    APICall(bodyLimit: ControlAPI.bodyLimit) { [self] request in await handle(request) }
  }

  /// Answers one request.
  package func handle(_ request: APIRequest) async -> APIResponse {
    var route = "none"
    var answer: APIResponse
    var audience = Audience.services
    do throws(APIError) {
      guard request.body.count <= ControlAPI.bodyLimit else {
        throw APIError(413, "too_large", "The body is longer than \(ControlAPI.bodyLimit) bytes.")
      }
      let call = try Call(request, addresses: parts.addresses(request))
      if let preflight = preflight(call) {
        route = "preflight"
        answer = preflight
      } else {
        let found = try find(call)
        route = found.name
        audience = found.audience
        answer = try await found.run(self, call)
      }
    } catch {
      answer = error.response
      // Why a page gets nothing is no secret, whoever it is.
      if audience == .both { answer.response.headerFields[.accessControlAllowOrigin] = "*" }
      if error.status == 405, let parts = try? Call.parts(of: request.request.path ?? "/") {
        answer.response.headerFields[.allow] = Self.allowed(parts).joined(separator: ", ")
      }
      parts.log.notice(
        "api call refused", metadata: ["route": "\(route)", "why": "\(error.code)"])
    }
    if audience == .viewers { answer.response.headerFields[.accessControlAllowOrigin] = "*" }
    parts.metrics.counter(
      "wedlive_api_requests_total", help: "API calls by route and status.",
      labels: ["route": route, "status": "\(answer.response.status.code)"]
    ).increment()
    return answer
  }

  /// Whose a route is.
  ///
  /// Players run in pages of any site, whose scripts may ask what a viewer asks, and read what it
  /// answers, refusals too.
  enum Audience: Sendable {
    case services, viewers
    /// What a service is answered is not for pages.
    case both
  }

  /// A route: a method, a path with `*` for a name, and what runs.
  struct Route: Sendable {
    let name: String
    let method: HTTPRequest.Method
    let path: [String]
    var audience = Audience.services
    /// What is no name in the place of one: other addresses have it there.
    var words: Set<String> = []
    let run: @Sendable (ControlAPI, Call) async throws(APIError) -> APIResponse

    func matches(_ parts: [String]) -> Bool {
      parts.count == path.count
        && zip(path, parts).allSatisfy { $0 == "*" ? !words.contains($1) : $0 == $1 }
    }
  }

  private static let routes: [Route] = [
    Route(
      name: "credentials", method: .post,
      path: ["api", "streams", "credentials", "generate"]
    ) { api, call throws(APIError) in try await api.generateCredentials(call) },
    Route(name: "publish", method: .post, path: ["api", "streams", "auth", "publish"]) {
      api, call throws(APIError) in try api.authorizePublish(call)
    },
    Route(name: "publish_done", method: .post, path: ["api", "streams", "auth", "publish_done"]) {
      api, call throws(APIError) in try api.notePublishDone(call)
    },
    Route(
      name: "playback", method: .get, path: ["api", "streams", "playback", "*"],
      audience: .both
    ) {
      api, call throws(APIError) in try await api.playback(call)
    },
    Route(
      name: "key", method: .get, path: ["api", "streams", "keys", "*", "*"],
      audience: .viewers
    ) {
      api, call throws(APIError) in try await api.key(call)
    },
    Route(
      name: "qualities", method: .get, path: ["api", "streams", "qualities", "*"],
      audience: .viewers
    ) {
      api, call throws(APIError) in try await api.qualities(call)
    },
    Route(
      name: "quality", method: .post, path: ["api", "streams", "quality", "select"],
      audience: .viewers
    ) {
      api, call throws(APIError) in try await api.selectQuality(call)
    },
    Route(name: "camera_add", method: .post, path: ["api", "streams", "camera", "add"]) {
      api, call throws(APIError) in try await api.addCamera(call)
    },
    Route(
      name: "camera_remove", method: .delete, path: ["api", "streams", "camera", "*"],
      words: cameraWords
    ) {
      api, call throws(APIError) in try await api.removeCamera(call)
    },
    Route(name: "camera_switch", method: .post, path: ["api", "streams", "camera", "switch"]) {
      api, call throws(APIError) in try await api.switchCamera(call)
    },
    Route(
      name: "cameras", method: .get, path: ["api", "streams", "cameras", "*"], audience: .both
    ) {
      api, call throws(APIError) in try await api.listCameras(call)
    },
    Route(
      name: "recording_start", method: .post, path: ["api", "streams", "recording", "start"]
    ) { api, call throws(APIError) in try await api.startRecording(call) },
    Route(name: "recording_stop", method: .post, path: ["api", "streams", "recording", "stop"]) {
      api, call throws(APIError) in try await api.stopRecording(call)
    },
    Route(
      name: "recording_complete", method: .post,
      path: ["api", "streams", "recording", "complete"]
    ) { api, call throws(APIError) in try await api.completeRecording(call) },
    Route(
      name: "recordings", method: .get, path: ["api", "streams", "recordings", "*"],
      audience: .both
    ) { api, call throws(APIError) in try await api.recordings(call) },
    Route(
      name: "recording_delete", method: .delete, path: ["api", "streams", "recordings", "*"]
    ) { api, call throws(APIError) in try await api.deleteRecording(call) },
    Route(name: "lock", method: .post, path: ["api", "streams", "*", "lock"]) {
      api, call throws(APIError) in try await api.setLock(call, isLocked: true)
    },
    Route(name: "unlock", method: .post, path: ["api", "streams", "*", "unlock"]) {
      api, call throws(APIError) in try await api.setLock(call, isLocked: false)
    },
    Route(name: "purge", method: .post, path: ["api", "streams", "*", "purge"]) {
      api, call throws(APIError) in try await api.purge(call)
    },
    Route(name: "purges", method: .get, path: ["api", "streams", "purges"]) {
      api, call throws(APIError) in try await api.purges(call)
    },
    Route(name: "rotate", method: .post, path: ["api", "streams", "keys", "rotate", "*"]) {
      api, call throws(APIError) in try await api.rotateKeys(call)
    },
  ]

  /// What stands in an address of the API in the places of names: a wedding's, as a rule.
  ///
  /// - Parameter path: of a request, without its query.
  /// - Returns: each once, in order; none where there is no such address.
  package static func names(inPath path: String) -> [String] {
    let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
      .map(String.init)
    var names: [String] = []
    for route in routes where route.matches(parts) {
      for (word, part) in zip(route.path, parts) where word == "*" && !names.contains(part) {
        names.append(part)
      }
    }
    return names
  }

  private func find(_ call: Call) throws(APIError) -> Route {
    let here = Self.routes.filter { $0.matches(call.parts) }
    if here.isEmpty { throw APIError(404, "not_found", "There is nothing at this address.") }
    let method: HTTPRequest.Method = call.method == .head ? .get : call.method
    guard let route = here.first(where: { $0.method == method }) else {
      throw APIError(
        405, "method_not_allowed",
        WrongMethod.message(call.method.rawValue, Self.allowed(call.parts)))
    }
    return route
  }

  /// The answer to a browser that asks whether a page of another site may ask something.
  ///
  /// - Returns: nil where that is none of a viewer's questions.
  private func preflight(_ call: Call) -> APIResponse? {
    guard call.method == .options else { return nil }
    let open = Self.routes.filter { $0.audience != .services && $0.matches(call.parts) }
    var methods = open.map(\.method.rawValue)
    if methods.contains("GET") { methods.append("HEAD") }
    // Some addresses are a service's too, with another method.
    let wanted = call.fields[.accessControlRequestMethod]
    guard !methods.isEmpty, wanted.map({ methods.contains($0) }) ?? true else { return nil }
    var response = HTTPResponse(status: .noContent)
    response.headerFields[.accessControlAllowOrigin] = "*"
    response.headerFields[.accessControlAllowMethods] = methods.joined(separator: ", ")
    response.headerFields[.accessControlAllowHeaders] = "authorization, content-type"
    response.headerFields[.accessControlMaxAge] = "86400"
    return APIResponse(response)
  }

  /// The methods that an address takes.
  private static func allowed(_ parts: [String]) -> [String] {
    let here = routes.filter { $0.matches(parts) }
    var methods = here.map(\.method.rawValue)
    if methods.contains("GET") { methods.append("HEAD") }
    // Pages of other sites ask first.
    if here.contains(where: { $0.audience != .services }) { methods.append("OPTIONS") }
    return methods
  }

  /// Lets only a service token through.
  func requireService(_ call: Call) throws(APIError) {
    guard let token = call.bearer else { throw APIError(Refusal(.missing)) }
    do throws(Refusal) {
      _ = try parts.verifier.verify(Array(token.utf8), for: .service, now: parts.now())
    } catch {
      throw APIError(error)
    }
  }

  /// A name from outside that may stand in addresses.
  static func name(_ text: String?, _ field: String) throws(APIError) -> String {
    guard let text, !text.isEmpty else {
      throw APIError(400, "missing_field", "\(field) is missing.")
    }
    guard Claims.isName(text) else {
      throw APIError(
        400, "bad_name",
        "\(field) may have letters, digits, -, _ and . (not first), up to 128 of them.")
    }
    return text
  }
}
