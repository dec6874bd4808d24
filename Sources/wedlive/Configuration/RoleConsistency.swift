import Cluster

/// What a role needs of a configuration, beyond what all of them do.
enum RoleConsistency {
  /// Everything that keeps a node of a role from starting.
  ///
  /// - Parameters:
  ///   - configuration: whose keys are sound by themselves.
  ///   - role: of the node.
  /// - Returns: the key at fault, and what is wrong with it.
  static func problems(
    _ configuration: NodeConfiguration, _ role: NodeRole
  ) -> [(key: String, words: String)] {
    let meets = configuration.redis.url != nil || configuration.redis.urlFile != nil
    var problems = meets ? meeting(configuration) : []
    switch role {
    case .standalone: break
    case .origin:
      if !meets {
        problems.append(
          ("redis.url", "an origin meets its edges there; a node by itself is `wedlive standalone`")
        )
      }
      if configuration.cluster.isCertified, configuration.listen.peersRTMPS == .off {
        problems.append(
          (
            "listen.peers_rtmps",
            "edges that know nodes by certificates bring streams there, so it can't be off on an"
              + " origin"
          ))
      }
    case .edge:
      if !meets, configuration.edge.upstreams.isEmpty {
        problems.append(
          (
            "edge.upstreams, redis.url",
            "an edge needs one of them: what stands behind it, such as"
              + " https://origin-1.example.com:8443, or where its cluster meets"
          ))
      }
      if !meets, configuration.rtmp.proxy == .tcp {
        problems.append(
          (
            "rtmp.proxy",
            "tcp needs redis.url: an edge finds the origins that connections go to by its cluster"
          ))
      }
      let isOfCluster =
        configuration.cluster.secret != nil || configuration.cluster.secretFile != nil
      if isOfCluster, !configuration.hasSecret {
        problems.append(
          (
            "auth.secret",
            "an edge of a cluster needs the secret of its origins, or nobody's token is good"
          ))
      }
    }
    if role != .edge, meets, !configuration.hasSecret {
      problems.append(
        (
          "auth.secret",
          "nodes that meet at redis.url need the same one, or what one of them has signed or sealed is"
            + " good nowhere else"
        ))
    }
    return problems
  }

  /// What every node of a cluster needs.
  private static func meeting(
    _ configuration: NodeConfiguration
  ) -> [(key: String, words: String)] {
    var problems: [(key: String, words: String)] = []
    let cluster = configuration.cluster
    if cluster.secret == nil, cluster.secretFile == nil {
      problems.append(
        ("cluster.secret", "nodes that meet at redis.url need one to know each other by"))
    }
    let own = cluster.ownPort
    if configuration.listen[keyPath: own.path] == .off {
      problems.append((own.key, "other nodes reach this one there, so it can't be off"))
    }
    if !cluster.tls, configuration.http.redirect {
      problems.append(("cluster.tls", "false needs http.redirect: false"))
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
