import EventLoop
import Redis
import Synchronization

/// On which origin a wedding's cameras meet.
///
/// A program is cut from cameras that one origin has, so a wedding's second camera goes where its
/// first one is. `wl:home:{wedding}` names that origin; refreshes of the leases of its streams keep
/// it there, and it is gone soon after the last of them. Edges that place two cameras at once agree
/// by it.
final class WeddingHomes: Sendable {
  private struct Known: Sendable {
    var home: NodeID?
    var until: MonotonicTime
  }

  private let client: RedisClient
  private let limits: ClusterConfiguration
  /// What Redis has said a moment ago, by the wedding's name; at most `directoryEntries`.
  private let known = Mutex<[String: Known]>([:])

  init(_ events: ClusterEvents, _ limits: ClusterConfiguration) {
    client = events.client
    self.limits = limits
    events.observe { [weak self] delivery in
      self?.known.withLock { known in
        switch delivery {
        case .event(.stream(let stream, _, _)): known[stream.wedding] = nil
        case .missed: known = [:]
        case .event: break
        }
      }
    }
  }

  /// Keeps the home that there is, where it is one of those that may be, or makes one.
  ///
  /// Arguments: the wish, its life in milliseconds, and all that may be.
  private static let settle = RedisScript(
    """
    local kind = redis.call('TYPE', KEYS[1]).ok
    if kind ~= 'none' and kind ~= 'string' then redis.call('DEL', KEYS[1]) end
    local home = redis.call('GET', KEYS[1])
    for index = 3, #ARGV do
      if ARGV[index] == home then return home end
    end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return ARGV[1]
    """)

  /// Where a wedding's cameras are.
  ///
  /// - Parameter stream: any of it.
  /// - Returns: nil where none is published, as far as is known; at most `absentAge` old, or what
  ///   was known last where Redis doesn't say.
  func home(of stream: StreamID) async -> NodeID? {
    let before = known.withLock { $0[stream.wedding] }
    if let before, before.until > .now { return before.home }
    let reply = try? await client.send(
      RedisCommand("GET", stream.homeKey), deadline: limits.deadline)
    let home = reply == nil ? before?.home : reply?.text.flatMap { NodeID($0) }
    let now = MonotonicTime.now
    known.withLock { known in
      if known.count >= limits.directoryEntries { known = known.filter { $0.value.until > now } }
      guard known.count < limits.directoryEntries else { return }
      known[stream.wedding] = Known(home: home, until: now + limits.absentAge)
    }
    return home
  }

  /// Where a stream goes, given where it would go if it were alone.
  ///
  /// - Parameters:
  ///   - stream: which.
  ///   - wish: chosen for it alone.
  ///   - nodes: those that may take it.
  /// - Returns: the wish where the wedding has no other home, or Redis doesn't say.
  func settle(_ stream: StreamID, _ wish: NodeID, among nodes: [NodeID]) async -> NodeID {
    let life = Int64(limits.lease / .milliseconds(1))
    var arguments: [any RedisCommand.Word] = [wish.text, life]
    for node in nodes { arguments.append(node.text) }
    let reply = try? await client.run(
      Self.settle, keys: [stream.homeKey], arguments: arguments, deadline: limits.deadline)
    guard let home = reply?.text.flatMap({ NodeID($0) }), nodes.contains(home) else { return wish }
    return home
  }
}
