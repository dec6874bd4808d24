import Edge
import EventLoop
import Foundation
import HTTPClient
import HTTPTypes
import Origin
import Synchronization
import Telemetry
import Viewers

/// Asks the processes before this one what they have, and has them do something.
final class ElderLine: Sendable {
  /// Of the processes, the last one first.
  let doors: [Upstream]
  let client: HTTPClient
  let pass: PeerPass
  /// What they have said last, in sums.
  let tally: ElderTally
  private let haveEnded = Mutex(false)
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
  /// - Throws: `StartFailure` where nothing can be asked.
  init?(
    _ doors: [UpgradeMessage.Door], _ configuration: NodeConfiguration, _ registry: MetricRegistry
  ) throws(StartFailure) {
    guard let secret = doors.first?.secret else { return nil }
    self.doors = doors.compactMap { Upstream("http://127.0.0.1:\($0.port)") }
    pass = PeerPass(secret: secret)
    tally = ElderTally(registry)
    do throws(HTTPClientError) {
      client = try HTTPClient(configuration.peerClient, metrics: registry)
    } catch {
      throw StartFailure("the process before this one can't be asked: \(error)")
    }
  }

  /// For `Origin`.
  var hands: ElderHands {
    ElderHands(
      tally: tally, statuses: { [self] in await statuses() },
      ask: { [self] order in await ask(order) })
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
    var statuses: [NodeStatus] = []
    for door in doors {
      guard let body = await send(.get, "/cluster/status", to: door, Self.patience),
        let status = try? JSONDecoder().decode(NodeStatus.self, from: Data(body))
      else { continue }
      statuses.append(status)
    }
    said.withLock { $0 = (statuses, .now) }
    // The last one may have ended meanwhile.
    if !areGone { tally.note(statuses) }
    return statuses
  }

  /// Has each of them do something; no answer comes of those that have ended, or don't know the order.
  private func ask(_ order: ElderOrder) async -> [ElderAnswer] {
    guard !areGone, let body = try? JSONEncoder().encode(order) else { return [] }
    var answers: [ElderAnswer] = []
    for door in doors {
      guard
        let body = await send(.post, "/cluster/orders", Array(body), to: door, Self.orderPatience),
        let answer = try? JSONDecoder().decode(ElderAnswer.self, from: Data(body))
      else { continue }
      answers.append(answer)
    }
    // What it was may have changed.
    said.withLock { $0 = nil }
    return answers
  }

  /// What one of them answers with a 200; nil for anything else.
  private func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], to door: Upstream,
    _ patience: Duration
  ) async -> [UInt8]? {
    var request = HTTPRequest(
      method: method, scheme: door.scheme, authority: door.authority, path: path)
    request.headerFields[.authorization] = "Bearer \(pass.token)"
    guard
      let (response, answer) = try? await client.send(
        request, body: body, deadline: patience, maxResponseBytes: Self.answerBytes),
      response.status == .ok
    else { return nil }
    return answer
  }

  /// The last of them has ended.
  func end() {
    haveEnded.withLock { $0 = true }
    tally.note([])
  }
}
