extension ConfigurationTable {
  static let rtmp: [ConfigurationKey] = [
    .choice(
      "rtmp.proxy", \.rtmp.proxy,
      "What an edge of a cluster does with its publishers: `rtmp` checks them, and keeps their"
        + " connections while origins are lost; `tcp` only hands their bytes to the origin with the"
        + " fewest connections."),
    .size(
      "rtmp.chunk_size", \.rtmp.chunkSize, in: 128...65_536,
      "The chunk size that the node sends with."),
    .size(
      "rtmp.max_message", \.rtmp.maxMessage, in: 64 << 10...16 << 20,
      "The largest message taken; a 4K keyframe passes 1m."),
    .size(
      "rtmp.max_buffered", \.rtmp.maxBuffered, in: 64 << 10...1 << 30,
      "The bytes of unfinished messages that one connection may hold."),
    .size(
      "rtmp.max_unadmitted", \.rtmp.maxUnadmitted, in: 64 << 10...1 << 30,
      "The same, and what is kept of its media, while it waits for leave to publish; 128k before it asks."
    ),
    .duration(
      "rtmp.handshake_timeout", \.rtmp.handshakeTimeout, in: .seconds(1)...(.seconds(120)),
      "How long a client has until it says what it wants to publish or play."),
    .duration(
      "rtmp.first_packet_timeout", \.rtmp.firstPacketTimeout, in: .seconds(1)...(.seconds(600)),
      "How long a publisher has until its first picture or sound."),
    .duration(
      "rtmp.idle_timeout", \.rtmp.idleTimeout, in: .seconds(1)...(.seconds(600)),
      "How long a publisher may be silent after that."),
    .duration(
      "rtmp.ping", \.rtmp.ping, in: .seconds(1)...(.seconds(3_600)),
      "After how much silence a client is asked whether it is still there."),
    .duration(
      "rtmp.silence", \.rtmp.silence, in: .seconds(1)...(.seconds(3_600)),
      "After how much silence it is taken to be gone."),
    .size(
      "rtmp.acknowledge_every", \.rtmp.acknowledgeEvery, in: 1 << 10...1 << 30,
      "After how many bytes the node acknowledges, asked or not."),
    .size(
      "rtmp.gop_cache", \.rtmp.gopCache, in: 0...1 << 30,
      "What is kept since the last keyframe, so that a player starts at once."),
    .size(
      "rtmp.player_buffer", \.rtmp.playerBuffer, in: 256 << 10...1 << 30,
      "What may wait for a slow player before it is moved on to the next keyframe."),
    .duration(
      "rtmp.player_stall", \.rtmp.playerStall, in: .seconds(1)...(.seconds(3_600)),
      "How long a player may take nothing at all."),
    .duration(
      "rtmp.coalesce", \.rtmp.coalesce, in: .zero...(.seconds(1)),
      "How often a publisher's messages are taken together; 0s takes each as it comes."),
    .count(
      "rtmp.max_connections", \.rtmp.maxConnections, in: 1...1_000_000,
      "How many connections one loop holds; more are closed at once, and counted."),
  ]

  static let http: [ConfigurationKey] = [
    .flag(
      "http.redirect", \.http.redirect,
      "Whether the HTTP port sends all to HTTPS; false serves there what HTTPS does, for balancers that"
        + " end TLS themselves. Tokens travel in the clear then."),
    .duration(
      "http.header_timeout", \.http.headerTimeout, in: .seconds(1)...(.seconds(600)),
      "How long the header of a request may take."),
    .duration(
      "http.body_timeout", \.http.bodyTimeout, in: .seconds(1)...(.seconds(600)),
      "How long its body may take."),
    .duration(
      "http.idle_timeout", \.http.idleTimeout, in: .seconds(1)...(.seconds(3_600)),
      "How long a connection may be idle."),
    .duration(
      "http.rest_after", \.http.restAfter, in: .milliseconds(100)...(.seconds(3_600)),
      "After how long an idle HTTP/2 connection gives memory back that it takes again with the next"
        + " request: this long at least, twice as long at most."),
    .size(
      "http.minimum_body_rate", \.http.minimumBodyRate, in: 0...1 << 30,
      "The least bytes a second of a request body that is under way."),
    .size(
      "http.minimum_read_rate", \.http.minimumReadRate, in: 0...1 << 30,
      "The least bytes a second that a client takes of a response."),
    .size(
      "http.max_target", \.http.maxTarget, in: 256...64 << 10,
      "The longest address of a request."),
    .size(
      "http.max_header", \.http.maxHeader, in: 1 << 10...256 << 10,
      "The largest header of a request."),
    .count(
      "http.max_header_fields", \.http.maxHeaderFields, in: 10...10_000,
      "How many fields it may have; split cookies count each."),
    .size(
      "http.max_body", \.http.maxBody, in: 1 << 10...64 << 20,
      "What one connection may send of request bodies at a time."),
    .count(
      "http.max_streams", \.http.maxStreams, in: 1...1_000,
      "How many requests one HTTP/2 connection may have open."),
    .count(
      "http.max_connections", \.http.maxConnections, in: 1...1_000_000,
      """
      How many connections one loop holds. Each takes a descriptor: a node raises its soft limit to \
      the hard one, and warns where that is below all loops' connections (RTMP's too) and 1024 more.
      """),
    .count(
      "http.max_held_requests", \.http.maxHeldRequests, in: 0...1_000_000,
      "How many requests one loop holds until there is something new (blocking reload)."),
  ]
}
