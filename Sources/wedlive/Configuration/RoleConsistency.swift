import Cluster

/// What a role needs of a configuration, beyond what all of them do.
enum RoleConsistency {
  /// One thing that keeps a node from starting.
  struct Problem: Equatable, Sendable {
    let key: String
    let words: String
    /// Keys that have it matter: it stands where the first of them does, where `key` isn't given.
    let causes: [String]
    /// All keys by which it is found: where one of them can't be read, it may be none.
    let reads: [String]

    init(
      _ key: String, _ words: String, because causes: [String] = [], reading reads: [String]
    ) {
      self.key = key
      self.words = words
      self.causes = causes
      self.reads = reads
    }
  }

  private static let meeting = ["redis.url", "redis.url_file"]
  private static let secrets = ["cluster.secret", "cluster.secret_file"]
  private static let signing = ["auth.secret", "auth.secret_file"]

  /// Everything that keeps a node of a role from starting.
  ///
  /// - Parameters:
  ///   - configuration: whose keys are sound by themselves.
  ///   - role: of the node.
  /// - Returns: none where it can start.
  static func problems(_ configuration: NodeConfiguration, _ role: NodeRole) -> [Problem] {
    let meets = configuration.redis.url != nil || configuration.redis.urlFile != nil
    var problems = meets ? meeting(configuration) : []
    switch role {
    case .standalone: break
    case .origin:
      if !meets {
        problems.append(
          Problem(
            "redis.url",
            "an origin meets its edges there; a node by itself is `wedlive standalone`",
            reading: meeting))
      }
      if configuration.cluster.isCertified, configuration.listen.peersRTMPS == .off {
        problems.append(
          Problem(
            "listen.peers_rtmps",
            "edges that know nodes by certificates bring streams there, so it can't be off on an"
              + " origin", because: ["cluster.certificate"],
            reading: ["cluster.certificate", "listen.peers_rtmps"]))
      }
    case .edge:
      if !meets, configuration.edge.upstreams.isEmpty {
        problems.append(
          Problem(
            "edge.upstreams, redis.url",
            "an edge needs one of them: what stands behind it, such as"
              + " https://origin-1.example.com:8443, or where its cluster meets",
            because: ["edge.upstreams"] + meeting, reading: ["edge.upstreams"] + meeting))
      }
      if !meets, configuration.rtmp.proxy == .tcp {
        problems.append(
          Problem(
            "rtmp.proxy",
            "tcp needs redis.url: an edge finds the origins that connections go to by its cluster",
            reading: ["rtmp.proxy"] + meeting))
      }
      let isOfCluster =
        configuration.cluster.secret != nil || configuration.cluster.secretFile != nil
      if isOfCluster, !configuration.hasSecret {
        problems.append(
          Problem(
            "auth.secret",
            "an edge of a cluster needs the secret of its origins, or nobody's token is good",
            because: secrets, reading: secrets + signing))
      }
    }
    if role != .standalone, meets,
      configuration.relay.afterEnd >= configuration.rtmp.handshakeTimeout
    {
      problems.append(
        Problem(
          "relay.after_end",
          "must be less than rtmp.handshake_timeout, after which origins close what publishes nothing"
            + " any more: every stream that ends would count as lost",
          because: ["rtmp.handshake_timeout"],
          reading: ["relay.after_end", "rtmp.handshake_timeout"] + meeting))
    }
    if role != .edge, meets, !configuration.hasSecret {
      problems.append(
        Problem(
          "auth.secret",
          "nodes that meet at redis.url need the same one, or what one of them has signed or sealed is"
            + " good nowhere else", because: meeting, reading: meeting + signing))
    }
    return problems
  }

  /// What every node of a cluster needs.
  private static func meeting(_ configuration: NodeConfiguration) -> [Problem] {
    var problems: [Problem] = []
    let cluster = configuration.cluster
    if cluster.secret == nil, cluster.secretFile == nil {
      problems.append(
        Problem(
          "cluster.secret", "nodes that meet at redis.url need one to know each other by",
          because: meeting, reading: meeting + secrets))
    }
    let own = cluster.ownPort
    if configuration.listen[keyPath: own.path] == .off {
      problems.append(
        Problem(
          own.key, "other nodes reach this one there, so it can't be off", because: meeting,
          reading: [own.key, "cluster.certificate"] + meeting))
    }
    if !cluster.tls, configuration.http.redirect {
      problems.append(
        Problem(
          "cluster.tls", "false needs http.redirect: false",
          reading: ["cluster.tls", "http.redirect"] + meeting))
    }
    return problems
  }

  /// Finds the first of them.
  ///
  /// - Throws: `StartFailure` with the key and the words.
  static func check(_ configuration: NodeConfiguration, _ role: NodeRole) throws(StartFailure) {
    guard let problem = problems(configuration, role).first else { return }
    throw StartFailure("\(problem.key): \(problem.words)")
  }
}

extension NodeConfiguration {
  /// Whether it names the secret that tokens are signed with.
  fileprivate var hasSecret: Bool { auth.secret != nil || auth.secretFile != nil }
}
