import Cluster
import ControlAPI
import EventLoop
import HTTPServer
import HTTPTypes
import Logging
import Records
import Redis
import RedisSupport
import Synchronization
import Telemetry

@testable import wedlive

/// The recordings of one node, as a test wants them.
final class NodeRecordings: RecordingDirectory {
  let all = Mutex<[String: RecordingInfo]>([:])
  /// What it was told to do.
  let done = Mutex<[String]>([])

  static func info(
    _ id: String, started: Int64 = 1, state: String = "completed"
  ) -> RecordingInfo {
    RecordingInfo(
      recordingId: id, weddingId: "w", cameraId: "main", quality: "source", state: state,
      startedAt: started, endedAt: nil, duration: 1, fileSize: 1)
  }

  func put(_ info: RecordingInfo) { all.withLock { $0[info.recordingId] = info } }

  private func note(_ words: String) { done.withLock { $0.append(words) } }

  func start(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    note("start \(wedding)/\(camera)")
    return [Self.info("new", state: "recording")]
  }

  func stop(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    note("stop \(wedding)/\(camera)")
    return [Self.info("new", state: "processing")]
  }

  func complete(_ recording: String) async throws(APIError) -> RecordingInfo {
    let info = try await self.recording(recording)
    note("complete \(recording)")
    return info
  }

  func recording(_ recording: String) async throws(APIError) -> RecordingInfo {
    guard let info = all.withLock({ $0[recording] }) else {
      throw APIError(404, "no_recording", "There is none of that name.")
    }
    return info
  }

  func recordings(ofWedding wedding: String) async throws(APIError) -> [RecordingInfo] {
    all.withLock { Array($0.values) }.filter { $0.weddingId == wedding }
  }

  func delete(_ recording: String) async throws(APIError) -> RecordingRemoval {
    let info = try await self.recording(recording)
    if info.state == "recording" { throw APIError(409, "is_recording", "Stop it first.") }
    note("delete \(recording)")
    all.withLock { $0[recording] = nil }
    return .deleted
  }
}

/// Origins `one` (this node), `two` and `three` with recordings, and a Redis where they tell of
/// them.
final class RecordingNodes: Sendable {
  let redis: RedisServerProcess
  let shared: RedisRecordings
  let known: KnownRecordings
  let registry = MetricRegistry()
  let recordings = [
    "one": NodeRecordings(), "two": NodeRecordings(), "three": NodeRecordings(),
  ]

  private struct State {
    var down: Set<String> = []
    var silent: Set<String> = []
    var asked: [String] = []
    var owner: StreamOwner?
  }

  private let state = Mutex(State())
  let publication: RecordingPublication

  init() async throws {
    redis = try RedisServerProcess()
    var configuration = try redis.configuration()
    configuration.connectDeadline = .milliseconds(400)
    shared = RedisRecordings(
      try RedisClient(configuration), seal: RecordSeal(Array("what all nodes know".utf8)),
      deadline: .seconds(10))
    known = KnownRecordings(shared, isAway: { _ in false }, now: { 0 })
    publication = RecordingPublication(
      shared, node: "one", limit: 100, metrics: RecordingIndexMetrics(registry),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { 0 })
    // Over before it begins: nobody waits for what is told then.
    let publication = publication
    let task = Task {
      await publication.run(.init(all: { .success([]) }, one: { _ in .success(nil) }))
    }
    task.cancel()
    await task.value
  }

  subscript(node: String) -> NodeRecordings { recordings[node] ?? NodeRecordings() }

  /// Can't be reached from now on, as everybody knows.
  func takeDown(_ node: String) { state.withLock { _ = $0.down.insert(node) } }

  /// Gives no answer from now on, which nobody knows yet.
  func silence(_ node: String) { state.withLock { _ = $0.silent.insert(node) } }

  /// Has the stream `w/main` from now on.
  func own(_ node: String, isLive: Bool = true) {
    let id = NodeID(node)
    state.withLock { state in
      state.owner = id.map { StreamOwner(node: $0, epoch: 1, isLive: isLive) }
    }
  }

  /// Whom somebody has asked something, and what.
  var asked: [String] { state.withLock { $0.asked.sorted() } }

  /// Tells Redis of a recording, which is a node's from then on.
  func tell(_ info: RecordingInfo, of node: String, document: String? = nil) async throws {
    self[node].put(info)
    try await shared.put([
      RecordingEntry(
        id: info.recordingId, wedding: info.weddingId, node: node, until: 1_000,
        document: document ?? info.json(atMost: 10_000))
    ])
  }

  var finder: RecordingFinder { RecordingFinder(peers, known, metrics: registry) }

  func cluster(_ finder: RecordingFinder) -> ClusterRecordings {
    ClusterRecordings(
      own: self["one"], peers: peers, known: known, finder: finder, publication: publication)
  }

  var peers: RecordingPeers {
    RecordingPeers(
      view: { [self] in view },
      owner: { [self] _ in state.withLock { $0.owner } },
      ask: { [self] question, node, _ async throws(NodeCluster.Unreached) in
        try await answer(question, node.id.text)
      }, scheme: "https")
  }

  private var view: ClusterView {
    let down = state.withLock { $0.down }
    guard let own = NodeID("one") else { preconditionFailure("one is a node's name") }
    var nodes: [NodeID: KnownNode] = [:]
    for name in recordings.keys {
      guard let id = NodeID(name) else { continue }
      let record = NodeRecord(
        id: id, role: .origin, region: "r",
        addresses: Cluster.NodeAddresses(http: "\(name).example:8444"), version: "1")
      var node = KnownNode(record: record, began: .now, written: .now)
      node.isDown = down.contains(name)
      nodes[id] = node
    }
    return ClusterView(own: own, nodes: nodes)
  }

  private func answer(
    _ question: PeerRecordings.Question, _ node: String
  ) async throws(NodeCluster.Unreached) -> (status: Int, body: [UInt8]) {
    let (method, path) = PeerRecordings.request(question)
    let isSilent = state.withLock { state in
      state.asked.append("\(node): \(method) \(path.dropFirst(PeerRecordings.path.count))")
      return state.silent.contains(node)
    }
    if isSilent { throw NodeCluster.Unreached(words: "no answer") }
    let request = HTTPRequest(method: method, scheme: "https", authority: node, path: path)
    let answer = await PeerRecordings.call(self[node]).handler(APIRequest(request: request))
    return (answer.response.status.code, answer.body)
  }
}
