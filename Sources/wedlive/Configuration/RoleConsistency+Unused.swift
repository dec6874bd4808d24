import Cluster
import Logging

// What `check --role` and a node that starts warn of.
extension RoleConsistency {
  /// Some keys, and why a node of a role does nothing with them.
  private struct Unused {
    /// Paths of keys and of sections, which are all keys below them.
    let paths: [String]
    /// Keys among those that are used all the same.
    let but: Set<String>
    let words: String

    init(_ paths: [String], but used: Set<String> = [], _ words: String) {
      self.paths = paths
      but = used
      self.words = words
    }

    func has(_ path: String) -> Bool {
      !but.contains(path) && paths.contains { path == $0 || path.hasPrefix($0 + ".") }
    }
  }

  /// Keys that are given and not at their defaults, and that a node of a role does nothing with, or
  /// that make another one of it.
  ///
  /// No faults: whoever gives all nodes of a cluster the same settings means the others.
  ///
  /// - Parameters:
  ///   - reading: of a configuration.
  ///   - role: of the node that is started with it.
  /// - Returns: each key once, in the order of the reference: where it stands, with words for
  ///   people.
  static func unused(_ reading: ConfigurationReading, _ role: NodeRole) -> [ConfigurationFault] {
    let redis = reading.configuration.redis
    let all = unused(role, meets: redis.url != nil || redis.urlFile != nil)
    let standard = NodeConfiguration()
    return ConfigurationTable.keys.compactMap { key in
      guard let place = reading.places[key.path],
        key.format(reading.configuration) != key.format(standard),
        let words = all.first(where: { $0.has(key.path) })?.words
      else { return nil }
      return ConfigurationFault(place: place, key: key.path, problem: words)
    }
  }

  /// Writes a line for each of them.
  static func warn(_ reading: ConfigurationReading, _ role: NodeRole, _ logger: Logger) {
    for each in unused(reading, role) {
      logger.warning(
        "key of another role",
        metadata: [
          "setting": "\(each.key)", "place": "\(each.place)", "role": "\(role.rawValue)",
          "reason": "\(each.problem)",
        ])
    }
  }

  private static func unused(_ role: NodeRole, meets: Bool) -> [Unused] {
    (role == .edge ? ofEdges : ofOthers) + (role == .standalone ? ofStandalone : [])
      + (meets ? ofMembers(role) : ofThoseAlone)
  }

  private static let ofEdges = [
    Unused(
      ["listen.peers_rtmps"],
      "an edge has no such port: it brings streams to origins, and nobody brings it any"),
    Unused(["recording", "storage"], "an edge records nothing; origins do"),
    Unused(["transcode", "qualities"], "an edge encodes nothing; origins do"),
    Unused(["encryption"], "an edge encrypts nothing; origins do"),
    Unused(["cameras"], "an edge has no cameras; origins do"),
    Unused(["callbacks"], "an edge asks no backend; origins do"),
    Unused(["player"], "an edge gives out the page of its origins"),
    Unused(["access.remembered_choices"], "an edge remembers none; origins do"),
    Unused(["cdn"], but: ["cdn.domain"], "an edge purges no CDN; origins do"),
    Unused(
      ["streams"],
      but: [
        "streams.fragment", "streams.counted", "streams.census_every", "streams.reconnect_window",
      ], "an edge cuts and keeps no streams; origins do"),
    Unused(["shutdown.hand_over"], "an edge has no streams to hand over; origins do"),
    Unused(["shutdown.upgrade_reads"], "an edge has no such records of its own"),
    Unused(
      ["shutdown.upgrade_orders", "shutdown.upgrade_memory"],
      "an edge's streams stay with its old process, which is asked for figures alone"),
  ]

  private static let ofOthers = [
    // What it asks other nodes and the processes before it with is an edge's, too.
    Unused(
      ["edge"],
      but: [
        "edge.ca", "edge.connect_timeout", "edge.max_waiting", "edge.live_streams",
        "edge.live_unanswered", "edge.live_answer", "edge.live_idle", "edge.live_grace",
        "edge.segment_stall", "edge.max_feed",
      ], "only an edge uses it"),
    Unused(["relay", "rtmp.proxy"], "only an edge uses it"),
  ]

  private static let ofStandalone = [
    Unused(
      ["redis.url", "redis.url_file"],
      "with it this node is one of the cluster that meets there, as an origin is; such a one is"
        + " started by `wedlive origin`")
  ]

  /// Of nodes of a cluster.
  private static func ofMembers(_ role: NodeRole) -> [Unused] {
    guard role != .edge else { return [] }
    return [
      Unused(["shutdown.upgrade_reads"], "processes of a cluster's nodes are told by Redis"),
      Unused(
        ["shutdown.upgrade"],
        "streams of a cluster's origin move to its next process at once, within shutdown.hand_over"),
    ]
  }

  /// Of nodes of none.
  private static let ofThoseAlone = [
    Unused(["redis"], "nothing without redis.url"),
    Unused(
      ["cluster"],
      but: [
        "cluster.secret", "cluster.secret_file", "cluster.tls", "cluster.ca",
        "cluster.certificate", "cluster.key",
      ], "nothing without redis.url, where a cluster meets"),
    Unused(["relay"], "an edge takes publishers in a cluster alone, which meets at redis.url"),
    Unused(["shutdown.hand_over"], "there are no other nodes without redis.url"),
  ]
}
