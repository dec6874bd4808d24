import Cluster
import ControlAPI
import Media
import Records

/// The recordings of a whole cluster, as an origin's API has them: its own, and what others keep.
///
/// What is to be done with a recording is done by the node that keeps it; what is to be done with a
/// stream, by the one that has it.
struct ClusterRecordings: RecordingDirectory {
  let own: any RecordingDirectory
  let peers: RecordingPeers
  let known: KnownRecordings
  let finder: RecordingFinder
  let publication: RecordingPublication

  /// How long a node is waited for that does something with a recording: a deletion waits for the
  /// storage.
  private static let patience = Duration.seconds(10)

  // MARK: What there is

  func list(ofWedding wedding: String) async throws(APIError) -> RecordingList {
    let view = peers.view()
    let here = view.own.text
    var all = try await own.recordings(ofWedding: wedding).map { Self.info($0, on: here, true) }
    let there = await known.listing(ofWedding: wedding)
    var names = Set(all.map(\.recordingId))
    var unread = 0
    for entry in there.entries where entry.node != here {
      guard let told = RecordingInfo(json: entry.document), told.recordingId == entry.id else {
        unread += 1
        continue
      }
      guard names.insert(entry.id).inserted else { continue }
      let isReachable = NodeID(entry.node).flatMap { view[$0]?.isReachable } ?? false
      all.append(Self.info(told, on: entry.node, isReachable))
    }
    all.sort { ($0.startedAt, $0.recordingId) < ($1.startedAt, $1.recordingId) }
    var doubt = there.doubt
    let silent = view.origins.filter { !$0.isReachable }.map(\.id.text)
    if doubt == nil, known.hasLost, !silent.isEmpty {
      doubt =
        "Redis has lost its data since, and \(silent.joined(separator: ", ")) can't be reached to"
        + " tell it again"
    }
    if unread > 0 {
      doubt = [doubt, "\(unread) are told of in a way that this version can't read"]
        .compactMap { $0 }.joined(separator: "; ")
    }
    return RecordingList(recordings: all, doubt: doubt)
  }

  func recordings(ofWedding wedding: String) async throws(APIError) -> [RecordingInfo] {
    try await list(ofWedding: wedding).recordings
  }

  private static func info(
    _ info: RecordingInfo, on node: String, _ isReachable: Bool
  ) -> RecordingInfo {
    var info = info
    info.node = node
    info.reachable = isReachable
    return info
  }

  // MARK: What is done with one

  func recording(_ recording: String) async throws(APIError) -> RecordingInfo {
    try await info(recording, .has(recording)) { () async throws(APIError) in
      try await own.recording(recording)
    }
  }

  func complete(_ recording: String) async throws(APIError) -> RecordingInfo {
    try await info(recording, .complete(recording)) { () async throws(APIError) in
      try await own.complete(recording)
    }
  }

  private func info(
    _ id: String, _ question: PeerRecordings.Question,
    _ here: () async throws(APIError) -> RecordingInfo
  ) async throws(APIError) -> RecordingInfo {
    do throws(APIError) {
      let info = try await here()
      await publication.settle()
      return Self.info(info, on: peers.own, true)
    } catch {
      let node = try await keeper(of: id, insteadOf: error)
      let (status, body) = try await ask(question, node)
      return Self.info(try PeerRecordings.info(status, body), on: node.id.text, true)
    }
  }

  func delete(_ recording: String) async throws(APIError) -> RecordingRemoval {
    do throws(APIError) {
      let removal = try await own.delete(recording)
      await publication.settle()
      return removal
    } catch {
      let node = try await keeper(of: recording, insteadOf: error)
      let (status, body) = try await ask(.delete(recording), node)
      let removal = try PeerRecordings.removal(status, body)
      if removal == .deleted { known.forget(recording) }
      return removal
    }
  }

  /// The other node that keeps a recording.
  ///
  /// - Parameters:
  ///   - id: of the recording.
  ///   - failure: what this node has to say of it.
  /// - Returns: a node that can be reached.
  /// - Throws: that, where nobody else has it either; 503 where it can't be reached.
  private func keeper(
    of id: String, insteadOf failure: APIError
  ) async throws(APIError) -> KnownNode {
    guard failure.status == 404 else { throw failure }
    switch await finder.find(id, ofWedding: nil) {
    case .node(let node): return node
    case .own, .nobody: throw failure
    case .away(let name): throw APIError(503, "node_away", RecordingFinder.away(name))
    case .unclear(let words):
      throw APIError(503, "node_away", "Who keeps this recording isn't known now: \(words).")
    }
  }

  private func ask(
    _ question: PeerRecordings.Question, _ node: KnownNode
  ) async throws(APIError) -> (status: Int, body: [UInt8]) {
    do throws(NodeCluster.Unreached) {
      return try await peers.ask(question, node, Self.patience)
    } catch {
      throw APIError(
        503, "node_away", "\(node.id) gave no answer (\(error.words)); try again when it does.")
    }
  }

  // MARK: What is done with a stream

  func start(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    if let node = await holder(of: wedding, camera) {
      let (status, body) = try await ask(.start(wedding: wedding, camera: camera), node)
      return try PeerRecordings.infos(status, body).map { Self.info($0, on: node.id.text, true) }
    }
    return try await here { () async throws(APIError) in
      try await own.start(wedding: wedding, camera: camera)
    }
  }

  func isThere(wedding: String, camera: String) async -> Bool {
    guard let stream = StreamID(wedding: wedding, camera: camera) else { return false }
    return await peers.owner(stream) != nil
  }

  func stop(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    if let node = await holder(of: wedding, camera) {
      let (status, body) = try await ask(.stop(wedding: wedding, camera: camera), node)
      return try PeerRecordings.infos(status, body).map { Self.info($0, on: node.id.text, true) }
    }
    return try await here { () async throws(APIError) in
      try await own.stop(wedding: wedding, camera: camera)
    }
  }

  private func here(
    _ work: () async throws(APIError) -> [RecordingInfo]
  ) async throws(APIError) -> [RecordingInfo] {
    let infos = try await work()
    await publication.settle()
    let node = peers.own
    return infos.map { Self.info($0, on: node, true) }
  }

  /// The other node that has a stream now; nil where that is this one or none.
  private func holder(of wedding: String, _ camera: String) async -> KnownNode? {
    let view = peers.view()
    guard let stream = StreamID(wedding: wedding, camera: camera),
      let owner = await peers.owner(stream), owner.isLive,
      !owner.hasEnded, owner.node != view.own, let node = view[owner.node], node.isReachable
    else { return nil }
    return node
  }
}
