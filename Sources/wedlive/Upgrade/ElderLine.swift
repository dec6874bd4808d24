import Edge
import EventLoop
import Foundation
import HTTPClient
import HTTPTypes
import Logging
import Media
import Origin
import Synchronization
import Telemetry
import Viewers

/// Asks the processes before this one what they have, and has them do something.
final class ElderLine: Sendable {
  private let all: [(door: UpgradeMessage.Door, upstream: Upstream)]
  private let isGone: @Sendable (UpgradeMessage.Door) -> Bool
  let client: HTTPClient
  let pass: PeerPass
  /// What they have said last, in sums.
  let tally: ElderTally
  private let haveEnded = Mutex(false)
  private let logger = Logger(label: "upgrade")
  /// What they have said last, and when.
  private let said = Mutex<(statuses: [NodeStatus], at: MonotonicTime)?>(nil)
  /// For how long that is believed: each call of the API may ask for it.
  private static let sayingLife = Duration.milliseconds(500)
  private static let patience = Duration.seconds(2)
  /// One that waits for a storage, or for somebody to be sent away, takes a while.
  private static let orderPatience = Duration.seconds(8)
  private static let answerBytes = 16 << 20

  /// - Parameters:
  ///   - doors: of the processes before this one, the last one first; nil is made of none.
  ///   - configuration: of the node.
  ///   - registry: of its metrics.
  ///   - isGone: whether a door's process has ended: anybody may listen at its port by then.
  /// - Throws: `StartFailure` where nothing can be asked.
  init?(
    _ doors: [UpgradeMessage.Door], _ configuration: NodeConfiguration, _ registry: MetricRegistry,
    isGone: @escaping @Sendable (UpgradeMessage.Door) -> Bool
  ) throws(StartFailure) {
    guard let secret = doors.first?.secret else { return nil }
    all = doors.compactMap { door in
      Upstream("http://127.0.0.1:\(door.port)").map { (door, $0) }
    }
    self.isGone = isGone
    pass = PeerPass(secret: secret)
    tally = ElderTally(registry)
    do throws(HTTPClientError) {
      client = try HTTPClient(configuration.peerClient, metrics: registry)
    } catch {
      throw StartFailure("the process before this one can't be asked: \(error)")
    }
  }

  /// Of the processes that have not ended, the last one first.
  var doors: [UpgradeMessage.Door] { all.map(\.door).filter { !isGone($0) } }

  /// Where those are asked.
  var upstreams: [Upstream] { all.filter { !isGone($0.door) }.map(\.upstream) }

  /// For `Origin`.
  ///
  /// - Parameter hear: returns when it is known what viewers have of a stream that was left.
  /// - Returns: what reaches them.
  func hands(hear: @escaping @Sendable (StreamKey) async -> Void = { _ in }) -> ElderHands {
    ElderHands(
      tally: tally, statuses: { [self] in await statuses() },
      ask: { [self] order in await ask(order) }, hear: hear)
  }

  /// Whether none of them is left.
  var areGone: Bool { haveEnded.withLock { $0 } }

  /// What they have; nothing of those that give no answer, as they have ended.
  @discardableResult
  func statuses() async -> [NodeStatus] {
    if areGone { return [] }
    if let said = said.withLock({ $0 }), MonotonicTime.now - said.at < Self.sayingLife {
      return said.statuses
    }
    let places = upstreams
    // Side by side: one that is busy keeps nobody from hearing of the others.
    let statuses = await withTaskGroup(of: (Int, NodeStatus?).self) { group in
      for (index, place) in places.enumerated() {
        group.addTask { [self] in (index, await status(of: place)) }
      }
      var found = [NodeStatus?](repeating: nil, count: places.count)
      for await (index, status) in group { found[index] = status }
      return found.compactMap { $0 }
    }
    said.withLock { $0 = (statuses, .now) }
    // The last one may have ended meanwhile, and is noted by `end` then.
    haveEnded.withLock { haveEnded in
      if !haveEnded { tally.note(statuses) }
    }
    return statuses
  }

  private func status(of place: Upstream) async -> NodeStatus? {
    guard
      case .success(let (response, body)) = await send(
        .get, "/cluster/status", to: place, Self.patience),
      response.status == .ok
    else { return nil }
    return try? JSONDecoder().decode(NodeStatus.self, from: Data(body))
  }

  /// Has each of them do something; nothing comes of those that have ended, or don't know the order.
  private func ask(_ order: ElderOrder) async -> [ElderAnswer] {
    guard !areGone, let body = try? JSONEncoder().encode(order) else { return [] }
    let places = all.filter { !isGone($0.door) }
    // Side by side, as each may take long.
    let answers = await withTaskGroup(of: (Int, ElderAnswer?).self) { group in
      for (index, place) in places.enumerated() {
        group.addTask { [self] in (index, await ask(place, Array(body))) }
      }
      var found = [ElderAnswer?](repeating: nil, count: places.count)
      for await (index, answer) in group { found[index] = answer }
      return found.compactMap { $0 }
    }
    if answers.contains(.missing), !Task.isCancelled {
      logger.warning(
        "the process before this one doesn't answer; nobody knows whether it was done",
        metadata: ["order": "\(order.name)"])
    }
    // What it was may have changed.
    said.withLock { $0 = nil }
    return answers
  }

  private func ask(
    _ place: (door: UpgradeMessage.Door, upstream: Upstream), _ body: [UInt8]
  ) async -> ElderAnswer? {
    let reply = await send(.post, "/cluster/orders", body, to: place.upstream, Self.orderPatience)
    // One that has ended meanwhile does nothing any more.
    let answer = Self.answer(reply)
    return answer == .missing && isGone(place.door) ? nil : answer
  }

  /// What comes of an order: one that is busy may have done it, do it yet, or have what it is about.
  ///
  /// - Returns: nil where nobody is there, or nobody who knows it; `.missing` where one may be there.
  static func answer(
    _ reply: Result<(HTTPResponse, [UInt8]), HTTPClientError>
  ) -> ElderAnswer? {
    switch reply {
    case .success(let (response, body)):
      switch response.status {
      case .ok: ElderAnswer.read(body) ?? .missing
      case .badRequest, .notFound: nil
      default: .missing
      }
    case .failure(let error): error.code == .unreachable ? nil : .missing
    }
  }

  private func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], to door: Upstream,
    _ patience: Duration
  ) async -> Result<(HTTPResponse, [UInt8]), HTTPClientError> {
    var request = HTTPRequest(
      method: method, scheme: door.scheme, authority: door.authority, path: path)
    request.headerFields[.authorization] = "Bearer \(pass.token)"
    do throws(HTTPClientError) {
      return .success(
        try await client.send(
          request, body: body, deadline: patience, maxResponseBytes: Self.answerBytes))
    } catch {
      return .failure(error)
    }
  }

  /// The last of them has ended.
  func end() {
    haveEnded.withLock { haveEnded in
      haveEnded = true
      tally.note([])
    }
  }
}
