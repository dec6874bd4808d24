package import Viewers
import Operator
package import EventLoop
import Glibc
import HTTPServer
import Ingest
package import Media
package import Recording
package import Telemetry

/// Puts a node's status together: what the board knows, and what each loop has at the moment.
package final class StatusCollector: Sendable {
  /// What does not change while the node runs.
  package struct Identity: Sendable {
    package var node: String
    package var region: String
    package var version: String
    package var cipher: String
    /// What a wedding's name is put behind to watch it; empty where nobody can.
    package var watchBase: String

    package init(
      node: String, region: String, version: String, cipher: String, watchBase: String = ""
    ) {
      self.watchBase = watchBase
      self.node = node
      self.region = region
      self.version = version
      self.cipher = cipher
    }
  }

  /// One loop's part.
  private struct Share: Sendable {
    var clients: [(key: StreamKey, client: ClientStatus)] = []
    var viewers: [StreamKey: Int] = [:]
    var httpConnections = 0
  }

  private let identity: Identity
  private let node: OriginNode
  private let loops: [LoopMailbox]
  private let recordings: RecordingService?
  private let locks: WeddingLocks?
  private let edges: EdgeViewers?
  /// Processes of this node that were before this one, and still have streams.
  let elders: ElderHands?
  private let startedAt = MonotonicTime.now
  private let traffic: TrafficMeter

  /// Makes a collector.
  ///
  /// - Parameters:
  ///   - identity: who the node is.
  ///   - node: whose status.
  ///   - loops: all of its loops.
  ///   - metrics: where the servers count their traffic.
  ///   - recordings: of the node.
  ///   - locks: of weddings.
  ///   - edges: know of the viewers that other nodes have.
  ///   - traffic: of the node; one of its own where none is given.
  ///   - elders: reaches processes of this node that were before this one; nil where there are
  ///     none.
  package init(
    identity: Identity, node: OriginNode, loops: [LoopMailbox], metrics: MetricRegistry,
    recordings: RecordingService? = nil, locks: WeddingLocks? = nil, edges: EdgeViewers? = nil,
    traffic: TrafficMeter? = nil, elders: ElderHands? = nil
  ) {
    self.elders = elders
    self.edges = edges
    self.locks = locks
    self.recordings = recordings
    self.identity = identity
    self.node = node
    self.loops = loops
    self.traffic = traffic ?? TrafficMeter(node.metrics, metrics)
  }

  /// The status now, with the streams that are still with processes before this one.
  package func status() async -> NodeStatus {
    var status = await ownStatus()
    guard let elders else { return status }
    var names = Set(status.streams.map(\.name))
    var weddings = Set(status.programs.map(\.wedding))
    let statuses = await elders.statuses()
    ElderRecordings(statuses).add(to: &status.recordings)
    for elder in statuses {
      for var stream in elder.streams where names.insert(stream.name).inserted {
        // Their viewers come to this process.
        if let key = StreamKey(wedding: stream.wedding, camera: stream.camera) {
          stream.viewers += await viewers(of: key)
        }
        stream.isLocked = locks?.contains(stream.wedding) ?? stream.isLocked
        status.streams.append(stream)
      }
      for program in elder.programs where weddings.insert(program.wedding).inserted {
        status.programs.append(program)
      }
    }
    elders.tally.add(to: &status)
    return status
  }

  /// A stream that is with a process before this one, or was left to this one and has yet to begin;
  /// nil where none has it.
  func elderStream(_ key: StreamKey) async -> StreamStatus? {
    guard let elders else { return nil }
    let all = await elders.statuses().flatMap(\.streams).filter {
      $0.wedding == key.wedding && $0.camera == key.camera
    }
    guard var found = all.first(where: { $0.state != .ended }) ?? all.first else { return nil }
    if found.state == .ended, await node.isBeginning(key) { found.state = .live }
    return found
  }

  /// The status of this process alone; asks every loop once.
  package func ownStatus() async -> NodeStatus {
    var streams = node.board.all
    let programs = node.programs.all
    let shown = programs.keys.compactMap { StreamKey(wedding: $0, camera: Program.name) }
    let keys = streams.compactMap { StreamKey(wedding: $0.wedding, camera: $0.camera) }
    var shares: [Share] = []
    for loop in loops {
      if let share = try? await share(loop, keys + shown) { shares.append(share) }
    }
    let clients = Dictionary(grouping: shares.flatMap(\.clients), by: \.key)
    let locked = locks?.weddings ?? []
    for (index, key) in zip(streams.indices, keys) {
      streams[index].isLocked = locked.contains(key.wedding)
      streams[index].viewers =
        shares.reduce(0) { $0 + ($1.viewers[key] ?? 0) } + elsewhere(key)
      let sent = sent(of: key, hasProgram: programs[key.wedding] != nil)
      streams[index].traffic.add(sent)
      streams[index].sent = sent.map { SentStatus($0) }
      streams[index].clients = (clients[key] ?? []).map(\.client).sorted { $0.id < $1.id }
    }
    return NodeStatus(
      node: identity.node, region: identity.region, version: identity.version, pid: getpid(),
      uptimeMilliseconds: (MonotonicTime.now - startedAt).nanoseconds / 1_000_000,
      watchBase: identity.watchBase,
      isReady: node.health.isReady, remark: node.health.words, cipher: identity.cipher,
      accepted: node.metrics.accepted.value, rtmpConnections: node.metrics.connections.value,
      httpConnections: shares.reduce(0) { $0 + $1.httpConnections }, traffic: traffic.traffic,
      memoryBytes: ProcessMetrics.residentBytes(), cpuSeconds: ProcessMetrics.cpuSeconds(),
      streams: streams,
      programs: shown.map { key in
        let program = programs[key.wedding] ?? ProgramStatus()
        let sent = node.traffic.sent(of: key)
        var traffic = TrafficStatus()
        traffic.add(sent)
        return ProgramSummary(
          wedding: key.wedding, camera: program.active ?? "", isLive: program.isLive,
          startedAtMilliseconds: program.startedAtMilliseconds,
          viewers: shares.reduce(0) { $0 + ($1.viewers[key] ?? 0) } + elsewhere(key),
          segments: program.segments,
          nextSequence: program.nextSequence, switches: program.switches, traffic: traffic,
          sent: sent.map { SentStatus($0) })
      }.sorted { $0.wedding < $1.wedding },
      recordings: await recordings?.underWay().map { RecordingStatus($0) } ?? [])
  }

  /// What was sent of a camera; players of a wedding with one camera ask for its program, which is
  /// that camera's stream.
  private func sent(of key: StreamKey, hasProgram: Bool) -> [SentBytes] {
    let own = node.traffic.sent(of: key)
    guard !hasProgram, key == StreamKey(wedding: key.wedding),
      let program = StreamKey(wedding: key.wedding, camera: Program.name)
    else { return own }
    return own.adding(node.traffic.sent(of: program))
  }

  /// Who watched a stream over HLS within the last seconds, on all loops and at all edges.
  package func viewers(of key: StreamKey) async -> Int {
    let here = await loops.total { loop in
      loop.local(ViewerSite.self)?.table.viewers(
        of: key, now: loop.now.nanoseconds / 1_000_000_000) ?? 0
    }
    return here + elsewhere(key)
  }

  /// Who watches at edges; the program of a wedding with one camera is that camera's stream.
  private func elsewhere(_ key: StreamKey) -> Int {
    guard let edges else { return 0 }
    var key = key
    if key.camera == Program.name, node.programs.all[key.wedding] == nil {
      key = StreamKey(wedding: key.wedding) ?? key
    }
    return edges.count(of: key, now: MonotonicTime.now.nanoseconds / 1_000_000_000)
  }

  private func share(_ loop: LoopMailbox, _ keys: [StreamKey]) async throws -> Share {
    try await loop.run { loop in
      var share = Share()
      share.clients = loop.local(OriginLoop.self)?.clients() ?? []
      guard let site = loop.local(ViewerSite.self) else { return share }
      share.httpConnections = site.server.connectionCount
      for key in keys {
        share.viewers[key] = site.table.viewers(of: key, now: loop.now.nanoseconds / 1_000_000_000)
      }
      return share
    }
  }
}
