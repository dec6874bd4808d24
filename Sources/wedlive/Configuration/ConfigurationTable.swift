/// Every key, once: it is read, checked, documented and shown in the example from here.
enum ConfigurationTable {
  static let keys: [ConfigurationKey] =
    node + listen + data + tls + auth + access + callbacks + streams + transcode + qualities + plans
    + pacing + cameras + encryption + recording + storage + edge + relay + redis + cluster + cdn
    + publicSites
    + rtmp + http + player + log
    + loops + proxyProtocol + shutdown

  /// What the sections are, in their order.
  static let sections: [(name: String, summary: String)] = [
    ("node", "Who this node is."),
    ("listen", "The ports; `off` for those that aren't wanted."),
    ("data", "What survives a restart."),
    ("tls", "The certificate and the ciphers of HTTPS and RTMPS."),
    ("auth", "How tokens are verified."),
    ("access", "Who may watch."),
    ("callbacks", "Your backend, asked and told in nginx-rtmp's form."),
    ("streams", "How live streams are cut and kept."),
    ("transcode", "How the qualities below the source are made."),
    ("qualities", "What they are: picture, video and audio bit rate; never above the source."),
    ("plans", "Which qualities a publisher's plan has made, and a viewer's may have."),
    ("pacing", "How fast viewers are sent what they ask for."),
    ("cameras", "Several of one wedding, and what its program shows."),
    ("encryption", "Of the segments, so that only invited viewers can watch."),
    ("recording", "What is recorded, and for how long it is kept."),
    ("storage", "Where finished recordings are kept."),
    ("edge", "What an edge keeps, and what stands behind it (`wedlive edge`)."),
    ("relay", "Publishers of an edge, on their way to origins."),
    ("redis", "Where the nodes of a cluster meet."),
    ("cluster", "What they agree on."),
    ("cdn", "The cache of somebody else's in front of the edges."),
    (
      "public",
      "What publishers and viewers are told to connect to: a balancer's name, or a region's. Without it,"
        + " in a cluster, the edge that was asked, or else one that is there; of a node by itself"
        + " `node.advertise`. `localhost` is nobody's name: there it is the `Host` of the question."
    ),
    ("rtmp", "Limits of the RTMP and RTMPS ports."),
    ("http", "Limits of the HTTP and HTTPS ports."),
    ("player", "The page at `/watch/{wedding}`."),
    ("log", "The lines on standard error."),
    ("loops", "The threads of the data path."),
    ("proxy_protocol", "Load balancers in front that say who the client is."),
    ("shutdown", "How the node ends."),
  ]

  /// The paths that keys stand under: the sections, and what some of them are divided into.
  static let groups: Set<String> = Set(
    keys.flatMap { key in
      (1..<key.components.count).map { key.components.prefix($0).joined(separator: ".") }
    })

  private static let byPath: [String: ConfigurationKey] = Dictionary(
    keys.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })

  /// The key of a path.
  static func key(_ path: String) -> ConfigurationKey? { byPath[path] }

  private static let node: [ConfigurationKey] = [
    .value(
      "node.id", \.node.id, takes: "1 to 64 letters, digits, dots, dashes or underscores",
      "The node's name in logs, metrics and headers; the host name where none is set.",
      example: "origin-1", parse: { ConfigurationRules.isNodeID($0) ? $0 : nil }, write: { $0 }),
    .text(
      "node.region", \.node.region,
      "Where the node stands: streams go to origins of the same region first."),
    .text(
      "node.advertise", \.node.advertise, takes: "a host name or address",
      "The host by which clients reach the node, in the addresses that it hands out.",
      where: ConfigurationRules.isHost),
  ]

  private static let listen: [ConfigurationKey] = [
    .endpoint("listen.rtmp", \.listen.rtmp, "Publishing and playing over RTMP."),
    .endpoint("listen.rtmps", \.listen.rtmps, "The same over TLS."),
    .endpoint("listen.https", \.listen.https, "HLS, the watch page and the API over TLS."),
    .endpoint(
      "listen.http", \.listen.http,
      "Redirects to HTTPS (or see `http.redirect`), at the port of `public.https` where that is set;"
        + " answers health checks."),
    .endpoint(
      "listen.peers", \.listen.peers,
      "The other nodes of a cluster, where they know each other by certificates"
        + " (`cluster.certificate`); nobody else is let in."),
    .endpoint(
      "listen.peers_rtmps", \.listen.peersRTMPS,
      "The same for the streams that edges bring to an origin; edges have none."),
    .endpoint(
      "listen.admin", \.listen.admin, alone: "127.0.0.1",
      "The status page, metrics and control, without TLS or a password: keep it to yourself. A port"
        + " alone is that of 127.0.0.1, `*:9113` that of all addresses. What changes something"
        + " (`/control`, `/drain`) answers under its address, `node.advertise`, `node.id`, the host"
        + " name and names without a dot."),
  ]

  private static let data: [ConfigurationKey] = [
    .text(
      "data.path", \.data.path, takes: "the path of a folder",
      "The folder of the database, the secret and the self-signed certificate; made if missing."
        + " While it can't be written, `/readyz` answers 503, and streams go on; an edge of a cluster"
        + " stays ready, and says so there.")
  ]

  private static let tls: [ConfigurationKey] = [
    .file(
      "tls.certificate", \.tls.certificate, example: "/etc/wedlive/tls/fullchain.pem",
      "PEM file with the certificate and its chain; without it a self-signed one is made."),
    .file(
      "tls.key", \.tls.key, example: "/etc/wedlive/tls/privkey.pem",
      "PEM file with the certificate's private key."),
    .choice(
      "tls.fast_cipher", \.tls.fastCipher,
      "AES-GCM from libipsec-mb where the processor has VAES; `on` refuses to start without."),
    .count(
      "tls.handshakes", \.tls.handshakes, in: 1...100_000,
      "How many TLS handshakes may be under way on one loop; for one more the oldest is given up."),
    .duration(
      "tls.handshake_timeout", \.tls.handshakeTimeout, in: .seconds(1)...(.seconds(120)),
      "How long a TLS handshake may take."),
    .duration(
      "tls.hsts", \.tls.hsts, in: .zero...(.seconds(315_360_000)),
      "For how long browsers shall come back over HTTPS only; 0 doesn't ask them to. A node with a"
        + " self-signed certificate never does."),
  ]

  private static let auth: [ConfigurationKey] = [
    .optional(
      "auth.secret", \.auth.secret, takes: "at least \(ConfigurationRules.secretBytes) characters",
      example: "(64 random characters)",
      "The HS256 secret of all tokens; without any, one is made and kept in the data folder.",
      isSecret: true, where: ConfigurationRules.isSecret),
    .file(
      "auth.secret_file", \.auth.secretFile, example: "/run/secrets/wedlive",
      "A file that holds the secret, instead of `auth.secret`."),
    .optional(
      "auth.jwks", \.auth.jwks, takes: "the path of a file or an https:// address",
      example: "https://id.example.com/.well-known/jwks.json",
      "Public keys of tokens that somebody else signs (RS256, ES256)."),
    .duration(
      "auth.jwks_refresh", \.auth.jwksRefresh, in: .seconds(10)...(.seconds(86_400)),
      "How often these keys are read again."),
    .duration(
      "auth.leeway", \.auth.leeway, in: .zero...(.seconds(300)),
      "How far the clocks of signer and node may differ."),
  ]

  private static let access: [ConfigurationKey] = [
    .choice(
      "access.watch", \.access.watch,
      "Whether anybody who knows the address may watch, or a watch token is needed."),
    .count(
      "access.remembered_tokens", \.access.rememberedTokens, in: 1...1_000_000,
      "How many verified tokens one loop remembers; others are verified at every request."),
    .count(
      "access.remembered_choices", \.access.rememberedChoices, in: 1...10_000_000,
      "For how many viewers at least it is remembered which quality they chose."),
  ]

  private static let callbacks: [ConfigurationKey] = [
    .address(
      "callbacks.on_publish", \.callbacks.onPublish,
      example: "http://backend:8000/api/streams/auth/publish",
      "Asked (form POST) before a publisher is admitted: a 2xx admits."),
    .address(
      "callbacks.on_publish_done", \.callbacks.onPublishDone,
      example: "http://backend:8000/api/streams/auth/publish_done", "Told when a publisher ends."),
    .address(
      "callbacks.on_play", \.callbacks.onPlay, example: "http://backend:8000/api/streams/play",
      "Asked before an RTMP player is admitted."),
    .address(
      "callbacks.on_play_done", \.callbacks.onPlayDone,
      example: "http://backend:8000/api/streams/play_done", "Told when an RTMP player ends."),
    .duration(
      "callbacks.timeout", \.callbacks.timeout, in: .milliseconds(100)...(.seconds(60)),
      "How long an answer may take."),
    .choice(
      "callbacks.on_failure", \.callbacks.onFailure,
      "What becomes of the client when the backend can't be reached or answers 5xx."),
  ]

  private static let streams: [ConfigurationKey] = [
    .duration(
      "streams.fragment", \.streams.fragment, in: .seconds(1)...(.seconds(30)),
      "The length that segments aim at; cuts are on the publisher's keyframes."),
    .duration(
      "streams.window", \.streams.window, in: .seconds(6)...(.seconds(3_600)),
      "How much of a stream its playlists list; at least 6 segments."),
    .duration(
      "streams.dvr_window", \.streams.dvrWindow, in: .zero...(.seconds(86_400)),
      "How far viewers can go back, where that is further than streams.window; what is older than that"
        + " is on disk, for up to twice as long. A restart of the node forgets all of it: viewers go"
        + " back to the restart. 0s keeps nothing there."),
    .size(
      "streams.dvr_buffer", \.streams.dvrBuffer, in: 16 << 20...1 << 40,
      "What may wait for that disk; viewers can't go back to segments beyond it, nor behind them."),
    .duration(
      "streams.reconnect_window", \.streams.reconnectWindow, in: .zero...(.seconds(3_600)),
      "How long a publisher may be away before its stream ends."),
    .duration(
      "streams.relay_patience", \.streams.relayPatience, in: .zero...(.seconds(10)),
      "How long the last part of a segment is kept back where an edge's connection breaks off: another"
        + " origin that has the stream by then makes all of that segment."),
    .duration(
      "streams.after_end", \.streams.afterEnd, in: .zero...(.seconds(86_400)),
      "How long an ended stream can be fetched, and goes on if its publisher returns."),
    .duration(
      "streams.after_upgrade", \.streams.afterUpgrade, in: .zero...(.seconds(3_600)),
      "How long the process that was replaced gives out what it has of a stream that the next one has "
        + "taken over, never less than streams.window: its viewers ask for it there until they have it."
    ),
    .duration(
      "streams.remembered", \.streams.remembered,
      in: .seconds(86_400)...(.seconds(3_650 * 86_400)),
      "How long it is remembered where a stream's segment numbers go on, after its last publisher."),
    .count(
      "streams.limit", \.streams.limit, in: 1...100_000,
      "How many streams the node takes; more are refused."),
    .count(
      "streams.counted", \.streams.counted, in: 0...100_000,
      "Of how many streams a node (edges too) counts one by one what it sends, and names them in"
        + " /metrics; of more it is counted together."),
    .duration(
      "streams.census_every", \.streams.censusEvery, in: .milliseconds(100)...(.seconds(60)),
      "How often it is counted who watches, for `wedlive_viewers` and `wedlive status`."),
    .size(
      "streams.memory", \.streams.memory, in: 0...1 << 50,
      "What the segments of all streams may take in memory, from 64m on; 0 is half of the machine's"
        + " memory, or of its control group's limit. From three quarters of it on no new stream is"
        + " taken, from seven eighths on the largest are kept for less long, beyond it they are"
        + " ended."),
  ]

  private static let transcode: [ConfigurationKey] = [
    .flag(
      "transcode.enabled", \.transcode.enabled,
      "Whether streams are encoded in the lower qualities, too."),
    .flag(
      "transcode.on_demand", \.transcode.onDemand,
      "Whether a quality is encoded only while somebody watches it, from the next segment on; until"
        + " then the nearest one stands in for it."),
    .duration(
      "transcode.idle_after", \.transcode.idleAfter, in: .seconds(5)...(.seconds(3_600)),
      "How long after its last viewer a quality is encoded then."),
    .text(
      "transcode.encoder", \.transcode.encoder, takes: "an H.264 encoder of libavcodec",
      "Such as libx264, or h264_nvenc where the machine has it."),
    .text(
      "transcode.preset", \.transcode.preset,
      "The encoder's trade of speed for quality; a worker that can't keep up takes a faster one."),
    .text(
      "transcode.tune", \.transcode.tune, "The encoder's tuning, such as zerolatency; or nothing.",
      where: { _ in true }),
    .count(
      "transcode.threads", \.transcode.threads, in: 0...64,
      "Threads of each encoder; 0 takes what suits the picture's size."),
    .size(
      "transcode.memory", \.transcode.memory, in: 512 << 20...(64 << 30),
      "The address space that one stream's worker may use."),
    .count(
      "transcode.niceness", \.transcode.niceness, in: 0...19,
      "Above 0 the node's own threads are served before the workers."),
    .count(
      "transcode.patience", \.transcode.patience, in: 1...10,
      "How many segments a quality may be late before another one stands in for it."),
    .duration(
      "transcode.hang_timeout", \.transcode.hangTimeout, in: .seconds(2)...(.seconds(120)),
      "A worker that takes pictures and gives none for so long is replaced."),
    .count(
      "transcode.failures", \.transcode.failures, in: 1...100,
      "So many workers of a stream may be lost within a minute; then it goes on without for a while."
    ),
    .duration(
      "transcode.pause", \.transcode.pause, in: .seconds(1)...(.seconds(3_600)), "For so long."),
  ]

  private static let qualities: [ConfigurationKey] = [
    quality("4k", \.qualities.p2160), quality("1080p", \.qualities.p1080),
    quality("720p", \.qualities.p720), quality("480p", \.qualities.p480),
    quality("360p", \.qualities.p360), quality("240p", \.qualities.p240),
  ]

  private static let plans: [ConfigurationKey] = [
    plan("free", \.plans.free), plan("premium", \.plans.premium),
    .choice(
      "plans.default", \.plans.standard,
      "The plan of publishers whose token names none. Without transcoding everybody has the source."
    ),
  ]

  private static func plan(
    _ name: String, _ target: ConfigurationKey.Path<[String]>
  ) -> ConfigurationKey {
    .list(
      "plans.\(name)", target, takes: "names of qualities, and source", example: "480p",
      "What tokens of the plan `\(name)` have; `source` is what the publisher sends, as it is.",
      where: { PlansSection.renditions.contains($0) })
  }

  private static func quality(
    _ name: String, _ target: ConfigurationKey.Path<Quality>
  ) -> ConfigurationKey {
    .value(
      "qualities.\(name)", target,
      takes: "WIDTHxHEIGHT VIDEO AUDIO, such as 1280x720 2800k 128k, or off",
      "The quality `\(name)` of addresses; portrait pictures turn the box.",
      parse: { Quality($0) }, write: { "\($0)" })
  }

  private static let encryption: [ConfigurationKey] = [
    .choice(
      "encryption.method", \.encryption.method,
      "AES-128 for whole segments, as every player knows it; auto encrypts where access.watch is"
        + " token."),
    .count(
      "encryption.fragments_per_key", \.encryption.fragmentsPerKey, in: 1...100_000,
      "For how many segments a key is used."),
    .duration(
      "encryption.rotate_every", \.encryption.rotateEvery,
      in: .seconds(60)...(.seconds(30 * 86_400)), "How long a key is used at most."),
    .count(
      "encryption.keys_per_client", \.encryption.keysPerClient, in: 10...1_000_000,
      "How many keys one address gets with one token in ten seconds: guests may share both."),
  ]

  private static let player: [ConfigurationKey] = [
    .text(
      "player.hls_js", \.player.hlsJS, takes: "an http:// or https:// address, or a path",
      "Where hls.js comes from, for browsers that can't play HLS themselves, and for those that can"
        + " but not go back, where streams.dvr_window is on.",
      where: { ConfigurationRules.isWebAddress($0) || $0.hasPrefix("/") && !$0.contains("\"") }),
    .optional(
      "player.hls_js_integrity", \.player.hlsJSIntegrity, takes: "sha256-…, sha384-… or sha512-…",
      example: "sha384-…", "The Subresource Integrity value of that file.",
      where: ConfigurationRules.isIntegrity),
  ]

  private static let log: [ConfigurationKey] = [
    .choice("log.format", \.log.format, "JSON lines for machines, or text for people."),
    .choice("log.level", \.log.level, "The least level that is written."),
  ]

  private static let loops: [ConfigurationKey] = [
    .count(
      "loops.count", \.loops.count, in: 0...512, "How many event loops run; 0: one a core."),
    .flag("loops.pinned", \.loops.pinned, "Whether each loop stays on its core."),
  ]

  private static let proxyProtocol: [ConfigurationKey] = [
    .list(
      "proxy_protocol.trusted", \.proxyProtocol.trusted,
      takes: "addresses or networks, such as 10.0.0.0/8", example: "10.0.0.0/8",
      "Whose PROXY protocol header (v1 or v2) is believed; from these it is required.",
      where: ConfigurationRules.isNetwork)
  ]

  private static let shutdown: [ConfigurationKey] = [
    .duration(
      "shutdown.drain", \.shutdown.drain, in: .zero...(.seconds(3_600)),
      "How long the node says that it isn't ready before it stops to accept."),
    .duration(
      "shutdown.hand_over", \.shutdown.handOver, in: .zero...(.seconds(3_600)),
      "How long an origin of a cluster waits before that for others to take its streams over, and for those to end "
        + "whose publisher has been gone for almost as long as streams.reconnect_window."),
    .duration(
      "shutdown.timeout", \.shutdown.timeout, in: .zero...(.seconds(3_600)),
      "How long responses that are under way have then."),
    .duration(
      "shutdown.upgrade_start", \.shutdown.upgradeStart, in: .seconds(1)...(.seconds(3_600)),
      "How long the process that SIGUSR2 starts may take to be ready, before it is given up."),
    .duration(
      "shutdown.upgrade", \.shutdown.upgrade, in: .zero...(.seconds(7 * 86_400)),
      "How long publishers of an edge or a standalone node stay with the process that was replaced."
    ),
    .duration(
      "shutdown.upgrade_reads", \.shutdown.upgradeReads, in: .milliseconds(100)...(.seconds(60)),
      "How often each of a standalone node's two processes reads which weddings the other one has locked, "
        + "and which cameras it has added."),
    .duration(
      "shutdown.upgrade_answers", \.shutdown.upgradeAnswers,
      in: .milliseconds(100)...(.seconds(60)),
      "How long a process waits for an answer of the one that it replaced; a publisher who comes back waits so"
        + " long at most until it is known what viewers have of the stream."),
    .duration(
      "shutdown.upgrade_orders", \.shutdown.upgradeOrders, in: .milliseconds(100)...(.seconds(60)),
      "How long it waits for that one to have done something, such as to have ended a recording."),
    .size(
      "shutdown.upgrade_memory", \.shutdown.upgradeMemory, in: 1 << 20...1 << 40,
      "What it keeps in memory of the segments that the processes before it have made."),
  ]
}
