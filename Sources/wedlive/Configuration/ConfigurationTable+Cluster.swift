import Redis

extension ConfigurationTable {
  static let redis: [ConfigurationKey] = [
    .optional(
      "redis.url", \.redis.url,
      takes: "redis://, rediss://, unix:// or redis+sentinel:// and what follows",
      example: "redis://user:password@redis:6379/0",
      "The Redis that the cluster's nodes meet at; see the page on Redis.", isSecret: true,
      where: { (try? RedisAddress($0)) != nil }),
    .file(
      "redis.url_file", \.redis.urlFile, example: "/run/secrets/redis",
      "A file that holds it, instead of `redis.url`."),
    .file(
      "redis.ca", \.redis.certificateAuthorities, example: "/etc/wedlive/redis-ca.pem",
      "PEM file of authorities to trust for rediss:// in place of the system's."),
    .duration(
      "redis.deadline", \.redis.deadline, in: .milliseconds(100)...(.seconds(60)),
      "How long a command may take."),
    .duration(
      "redis.connect_timeout", \.redis.connectTimeout, in: .milliseconds(100)...(.seconds(60)),
      "How long connecting may take, TLS and login included."),
  ]

  static let cluster: [ConfigurationKey] = [
    .optional(
      "cluster.secret", \.cluster.secret,
      takes: "at least \(ConfigurationRules.secretBytes) characters",
      example: "(64 random characters)",
      "What all nodes know and nobody else: by it they know each other.", isSecret: true,
      where: ConfigurationRules.isSecret),
    .file(
      "cluster.secret_file", \.cluster.secretFile, example: "/run/secrets/wedlive-cluster",
      "A file that holds it, instead of `cluster.secret`."),
    .text(
      "cluster.address", \.cluster.address, takes: "a host name or address",
      "The host by which other nodes reach this one; `node.advertise` where none is named.",
      where: { $0.isEmpty || ConfigurationRules.isHost($0) }),
    .flag(
      "cluster.tls", \.cluster.tls,
      "Whether nodes talk to each other over `listen.https`; false takes `listen.http`, in the clear,"
        + " and needs `http.redirect: false`."),
    .file(
      "cluster.ca", \.cluster.certificateAuthorities, example: "/etc/wedlive/cluster-ca.pem",
      "PEM file of authorities to trust there in place of the system's."),
    .file(
      "cluster.certificate", \.cluster.certificate, example: "/etc/wedlive/origin-1.pem",
      "PEM file of this node's certificate among nodes, of `cluster.ca`: with it nodes talk over"
        + " `listen.peers` and know each other by their certificates as well. `wedlive certs --node`"
        + " makes one."),
    .file(
      "cluster.key", \.cluster.key, example: "/etc/wedlive/origin-1.key",
      "PEM file of that certificate's private key."),
    .duration(
      "cluster.beat", \.cluster.beat, in: .milliseconds(100)...(.seconds(60)),
      "How often a node says that it is there; the same on all nodes, as are the next two."),
    .count(
      "cluster.missed_beats", \.cluster.missedBeats, in: 1...100,
      "How many of these may be missing before others look whether it still is."),
    .duration(
      "cluster.lease", \.cluster.lease, in: .seconds(1)...(.seconds(600)),
      "How long a stream is an origin's that has gone silent."),
    .duration(
      "cluster.slow_start", \.cluster.slowStart, in: .zero...(.seconds(3_600)),
      "For how long a new origin gets less than its share of new streams."),
    .count(
      "cluster.max_fails", \.cluster.maxFails, in: 1...1_000,
      "After how many failures within `cluster.fail_timeout` a node is left alone."),
    .duration(
      "cluster.fail_timeout", \.cluster.failTimeout, in: .seconds(1)...(.seconds(3_600)),
      "How long."),
    .duration(
      "cluster.remember_down", \.cluster.rememberDown, in: .zero...(.seconds(86_400)),
      "For how long a node that is gone without a word stays listed as `down` (`wedlive status`); 0: not"
        + " at all."),
    .duration(
      "cluster.ends_every", \.cluster.endsEvery, in: .milliseconds(100)...(.seconds(60)),
      "How often an origin looks for streams that have ended with the origin that had them: it tells"
        + " what that one would have told."),
    .count(
      "cluster.ends_at_once", \.cluster.endsAtOnce, in: 1...1_000,
      "How many of them it looks at in one go."),
    .duration(
      "cluster.end_telling", \.cluster.endTelling, in: .seconds(5)...(.seconds(3_600)),
      "How long an origin has to tell the end of a stream, before another one tells it."),
    .count(
      "cluster.ends_noted", \.cluster.endsNoted, in: 100...1_000_000,
      "How many ends that an origin has told it keeps until Redis knows of them; of those beyond, which"
        + " take Redis to be away for long, another may tell once more."),
    .count(
      "cluster.recordings", \.cluster.recordings, in: 100...1_000_000,
      "How many of an origin's recordings, the newest, other nodes are told of."),
  ]
}
