import Cluster

// What `check --role` says of a file.
extension RoleConsistency {
  /// What keeps a node of a role from starting, each where it stands: at its key, or at one that has
  /// it matter, or in the file as a whole, which lacks it.
  ///
  /// - Parameters:
  ///   - reading: of a file.
  ///   - role: of the node that is to be started with it.
  ///   - file: its path.
  /// - Returns: none where a key can't be read: a default that stands in for it says nothing.
  static func faults(
    _ reading: ConfigurationReading, _ role: NodeRole, file: String
  ) -> [ConfigurationFault] {
    guard reading.faults.isEmpty else { return [] }
    let configuration = role == .edge ? reading.configuration.forEdge : reading.configuration
    return problems(configuration, role).map { problem in
      let place = ([problem.key] + problem.causes).lazy.compactMap { reading.places[$0] }.first
      return ConfigurationFault(
        place: place ?? .file(file, line: nil), key: problem.key, problem: problem.words)
    }
  }

  /// Keys that are given, and that a node of a role does nothing with.
  ///
  /// No faults: whoever gives all nodes of a cluster the same settings means the others.
  ///
  /// - Returns: where each stands, with words for people.
  static func unused(_ reading: ConfigurationReading, _ role: NodeRole) -> [ConfigurationFault] {
    let standard = NodeConfiguration()
    return unused(role).compactMap { path, words in
      guard let place = reading.places[path], let key = ConfigurationTable.key(path),
        key.format(reading.configuration) != key.format(standard)
      else { return nil }
      return ConfigurationFault(place: place, key: path, problem: words)
    }
  }

  private static func unused(_ role: NodeRole) -> [(key: String, words: String)] {
    switch role {
    case .edge:
      [
        (
          "listen.peers_rtmps",
          "an edge has no such port: it brings streams to origins, and nobody brings it any"
        ),
        ("recording.enabled", "an edge records nothing; origins do"),
        ("transcode.enabled", "an edge encodes nothing; origins do"),
      ]
    case .origin, .standalone:
      ["edge.upstreams", "edge.memory", "edge.disk", "rtmp.proxy"].map {
        ($0, "only an edge uses it")
      }
    }
  }
}
