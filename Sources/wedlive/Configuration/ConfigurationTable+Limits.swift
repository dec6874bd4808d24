extension ConfigurationTable {
  static let rtmp: [ConfigurationKey] = [
    .size(
      "rtmp.chunk_size", \.rtmp.chunkSize, in: 128...65_536,
      "The chunk size that the node sends with."),
    .size(
      "rtmp.max_message", \.rtmp.maxMessage, in: 64 << 10...16 << 20,
      "The largest message taken; a 4K keyframe passes 1m."),
    .size(
      "rtmp.max_buffered", \.rtmp.maxBuffered, in: 64 << 10...1 << 30,
      "The bytes of unfinished messages that one connection may hold."),
    .duration(
      "rtmp.handshake_timeout", \.rtmp.handshakeTimeout, in: .seconds(1)...(.seconds(120)),
      "How long a client has for its handshake and connect."),
    .duration(
      "rtmp.first_packet_timeout", \.rtmp.firstPacketTimeout, in: .seconds(1)...(.seconds(600)),
      "How long a publisher has until its first packet."),
    .duration(
      "rtmp.idle_timeout", \.rtmp.idleTimeout, in: .seconds(1)...(.seconds(600)),
      "How long a publisher may be silent after that."),
    .duration(
      "rtmp.ping", \.rtmp.ping, in: .seconds(1)...(.seconds(3_600)),
      "How often a silent player is asked whether it is still there."),
    .duration(
      "rtmp.ping_timeout", \.rtmp.pingTimeout, in: .seconds(1)...(.seconds(3_600)),
      "How long it has to answer."),
    .size(
      "rtmp.acknowledge_every", \.rtmp.acknowledgeEvery, in: 1 << 10...1 << 30,
      "After how many bytes the node acknowledges, asked or not."),
    .size(
      "rtmp.gop_cache", \.rtmp.gopCache, in: 0...1 << 30,
      "What is kept since the last keyframe, so that a player starts at once; 0 keeps nothing."),
    .size(
      "rtmp.player_buffer", \.rtmp.playerBuffer, in: 256 << 10...1 << 30,
      "What may wait for a slow player before it is moved on to the next keyframe."),
    .count(
      "rtmp.max_connections", \.rtmp.maxConnections, in: 1...1_000_000,
      "How many connections one port takes."),
    .count(
      "rtmp.max_connections_per_address", \.rtmp.maxConnectionsPerAddress, in: 1...1_000_000,
      "How many of these may come from one address."),
  ]

  static let http: [ConfigurationKey] = [
    .duration(
      "http.header_timeout", \.http.headerTimeout, in: .seconds(1)...(.seconds(600)),
      "How long the header of a request may take."),
    .duration(
      "http.idle_timeout", \.http.idleTimeout, in: .seconds(1)...(.seconds(3_600)),
      "How long a connection may be idle."),
    .size(
      "http.minimum_body_rate", \.http.minimumBodyRate, in: 0...1 << 30,
      "The least bytes a second of a request body that is under way."),
    .size(
      "http.minimum_send_rate", \.http.minimumSendRate, in: 0...1 << 30,
      "The least bytes a second that a client takes of a response."),
    .size(
      "http.max_header", \.http.maxHeader, in: 1 << 10...1 << 20,
      "The largest header of a request."),
    .count(
      "http.max_header_fields", \.http.maxHeaderFields, in: 10...10_000,
      "How many fields it may have; split cookies count each."),
    .size(
      "http.max_body", \.http.maxBody, in: 1 << 10...1 << 30, "The largest body of an API request."
    ),
    .count(
      "http.max_streams", \.http.maxStreams, in: 1...1_000,
      "How many requests one HTTP/2 connection may have open."),
    .count(
      "http.abuse_budget", \.http.abuseBudget, in: 10...100_000,
      "How many resets, pings, settings or empty frames an HTTP/2 client may spend in ten seconds."
    ),
    .size(
      "http.max_held", \.http.maxHeld, in: 64 << 10...1 << 30,
      "The most memory that is held for one client that takes nothing."),
    .count(
      "http.max_connections", \.http.maxConnections, in: 1...1_000_000,
      "How many connections one port takes."),
    .text(
      "http.cors_origin", \.http.corsOrigin, takes: "* or an origin such as https://example.com",
      "From which pages browsers may play the streams.", where: ConfigurationRules.isOrigin),
  ]
}
