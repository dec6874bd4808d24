import Cluster
import Logging
import Redis
import RedisSupport
import Synchronization
import Telemetry

/// A node of a cluster within the tests' process: its own connections, its own view.
final class TestNode: Sendable {
  let cluster: ClusterNode
  let redis: RedisClient
  let registry = MetricRegistry()
  private let running: Mutex<Task<Void, Never>?>

  /// Heartbeats and leases ten times as fast as usual, so that tests needn't wait for long.
  static var quick: ClusterConfiguration {
    var configuration = ClusterConfiguration()
    configuration.beat = .milliseconds(200)
    // On a busy machine heartbeats come late.
    configuration.missedBeats = 6
    configuration.checkInterval = .milliseconds(100)
    configuration.recheckInterval = .milliseconds(50)
    configuration.lease = .seconds(4)
    configuration.leaseRefresh = .milliseconds(200)
    configuration.deadline = .seconds(20)
    return configuration
  }

  /// The same with leases that soon run out, for tests that wait for it.
  static var brief: ClusterConfiguration {
    var configuration = quick
    configuration.lease = .milliseconds(600)
    return configuration
  }

  /// Starts a node, `quick` where no other configuration is given.
  ///
  /// A server that is stopped is given up after `silence`, before a lease runs out, as with the
  /// usual settings; that of a busy machine may be silent for long where no test stops it.
  init(
    _ name: String, _ server: RedisServerProcess,
    configuration: ClusterConfiguration = TestNode.quick, role: NodeRole = .origin,
    region: String = "here", probe: PeerProbe? = nil, silence: Duration = .seconds(20),
    runs: Bool = true
  ) throws {
    var patience = try server.configuration()
    patience.commandDeadline = .seconds(20)
    patience.reconnectPatience = .milliseconds(100)
    patience.longestPause = .milliseconds(100)
    patience.silenceLimit = silence
    patience.pingAfter = .milliseconds(100)
    redis = try server.client(patience)
    cluster = try ClusterNode(
      record(name, role: role, region: region), redis: redis, configuration: configuration,
      probe: probe, metrics: registry, logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() }
    )
    running = Mutex(nil)
    if runs { run() }
  }

  deinit {
    stop()
    // Whatever still has it, in a test that is over: its server's port will be another test's, who
    // would be surprised to hear of Redis there.
    Task { [redis] in await redis.close() }
  }

  var id: NodeID { cluster.membership.own }
  var view: ClusterView { cluster.membership.view }

  func run() {
    let cluster = cluster
    running.withLock { $0 = Task { await cluster.run() } }
  }

  /// Ends what it does, as a crash would: nobody is told.
  func stop() { running.withLock { $0.take() }?.cancel() }

  /// Ends what it does, and waits until it has ended.
  func halt() async {
    let task = running.withLock { $0.take() }
    task?.cancel()
    await task?.value
  }

  /// Waits until this node's view is so.
  func sees(_ condition: (ClusterView) -> Bool) async {
    for await view in cluster.membership.changes where condition(view) { return }
  }

  /// Waits until this node sees another as usable.
  func sees(_ other: TestNode) async { await sees { $0[other.id]?.isUsable == true } }

  func ready() { cluster.membership.update { $0.state = .ready } }

  /// What one metric's line says.
  func metric(_ name: String) -> Int {
    let text = String(decoding: registry.text(), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
    return line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
  }
}

/// A node's record for tests.
func record(_ name: String, role: NodeRole = .origin, region: String = "here") throws -> NodeRecord
{
  guard let id = NodeID(name) else { throw RedisServerProcess.Missing(description: name) }
  return NodeRecord(
    id: id, role: role, region: region,
    addresses: NodeAddresses(http: "127.0.0.1:8090", rtmp: "127.0.0.1:1935"), version: "0.1.0")
}

func stream(_ text: String = "w1/main") throws -> StreamID {
  guard let stream = StreamID(text) else { throw RedisServerProcess.Missing(description: text) }
  return stream
}

/// Something that happens once and can be awaited.
final class Signal<Value: Sendable>: Sendable {
  private let pair = AsyncStream<Value>.makeStream()
  func send(_ value: Value) { pair.continuation.yield(value) }
  var values: AsyncStream<Value> { pair.stream }
  func next() async -> Value? {
    for await value in pair.stream { return value }
    return nil
  }
}
