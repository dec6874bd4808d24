import Edge
import EventLoop
import Foundation
import HLS
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
  /// What they have said of their cameras.
  let book = ElderBook()
  private let haveEnded = Mutex(false)
  private let logger = Logger(label: "upgrade")
  /// What they have said last, and when.
  private let said = Mutex<(statuses: [NodeStatus], at: MonotonicTime)?>(nil)
  /// For how long that is believed: each call of the API may ask for it.
  private static let sayingLife = Duration.milliseconds(500)
  private let patience: Duration
  /// One that waits for a storage, or for somebody to be sent away, takes a while.
  private let orderPatience: Duration
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
    patience = configuration.shutdown.upgradeAnswers
    orderPatience = configuration.shutdown.upgradeOrders
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
  /// - Parameters:
  ///   - hear: returns when it is known what viewers have of a stream that was left.
  ///   - heard: how far viewers here have a stream.
  /// - Returns: what reaches them.
  func hands(
    hear: @escaping @Sendable (StreamKey) async -> Void = { _ in },
    heard: @escaping @Sendable (StreamKey) -> WindowState? = { _ in nil }
  ) -> ElderHands {
    ElderHands(
      tally: tally, book: book, statuses: { [self] in await statuses() },
      processes: { [self] in areGone ? [] : all.filter { !isGone($0.door) }.map(process) },
      hear: hear, heard: heard)
  }

  private func process(
    _ place: (door: UpgradeMessage.Door, upstream: Upstream)
  ) -> ElderHands.Process {
    ElderHands.Process(
      id: place.door.process ?? 0, ask: { [self] order in await ask(place, order) },
      fetch: { [self] path, bytes in await fetch(path, bytes, from: place.upstream) },
      isGone: { [self] in areGone || isGone(place.door) })
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
        .get, "/cluster/status", to: place, patience),
      response.status == .ok
    else { return nil }
    return try? JSONDecoder().decode(NodeStatus.self, from: Data(body))
  }

  /// Has one of them do something.
  private func ask(
    _ place: (door: UpgradeMessage.Door, upstream: Upstream), _ order: ElderOrder
  ) async -> ElderAnswer? {
    guard let body = try? JSONEncoder().encode(order) else { return nil }
    let reply = await send(
      .post, "/cluster/orders", Array(body), to: place.upstream, orderPatience)
    // What it was may have changed.
    if !order.isQuestion { said.withLock { $0 = nil } }
    // One that has ended meanwhile does nothing any more.
    let answer = Self.answer(reply)
    guard answer == .missing, !Task.isCancelled else { return answer }
    if isGone(place.door) { return nil }
    logger.warning("\(Self.silence(at: order))", metadata: ["order": "\(order.name)"])
    return answer
  }

  /// What the log says where one gives no answer to an order.
  static func silence(at order: ElderOrder) -> String {
    let words = "the process before this one doesn't answer"
    return order.isQuestion ? words : "\(words); nobody knows whether it was done"
  }

  /// Gets a segment from one of them.
  private func fetch(_ path: String, _ bytes: Int, from place: Upstream) async -> [UInt8]? {
    let reply = await send(.get, path, to: place, patience, atMost: bytes)
    guard case .success(let (response, body)) = reply, response.status == .ok else { return nil }
    return body
  }

  /// What comes of an order: one that is busy may have done it, do it yet, or have what it is
  /// about.
  ///
  /// - Returns: nil where nobody is there, or nobody who knows it; `.missing` where one may be
  ///   there.
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
    _ patience: Duration, atMost bytes: Int = answerBytes
  ) async -> Result<(HTTPResponse, [UInt8]), HTTPClientError> {
    var request = HTTPRequest(
      method: method, scheme: door.scheme, authority: door.authority, path: path)
    request.headerFields[.authorization] = "Bearer \(pass.token)"
    do throws(HTTPClientError) {
      return .success(
        try await client.send(
          request, body: body, deadline: patience, maxResponseBytes: bytes))
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
