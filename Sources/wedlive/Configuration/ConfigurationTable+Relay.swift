extension ConfigurationTable {
  static let relay: [ConfigurationKey] = [
    .size(
      "relay.queue", \.relay.queue, in: 1 << 20...1 << 30,
      "What may wait for an origin, of one stream, before its publisher is made to wait."),
    .size(
      "relay.replay", \.relay.replay, in: 1 << 20...4 << 30,
      "What is kept of one stream, to be sent to the next origin where one is lost."),
    .duration(
      "relay.replay_span", \.relay.replaySpan, in: .seconds(1)...(.seconds(120)),
      "How far back that goes while nobody says how much of it viewers have been told of."),
    .duration(
      "relay.origin_silence", \.relay.originSilence, in: .milliseconds(500)...(.seconds(60)),
      "After how much silence an origin is taken to be lost."),
    .duration(
      "relay.admit_within", \.relay.admitWithin, in: .seconds(1)...(.seconds(120)),
      "How long a new publisher waits for an origin to be found."),
    .duration(
      "relay.give_up_after", \.relay.giveUpAfter, in: .seconds(1)...(.seconds(600)),
      "How long a publisher is kept whose stream has no origin."),
    .duration(
      "relay.leave_within", \.relay.leaveWithin, in: .seconds(1)...(.seconds(600)),
      "How long a stream whose publisher has gone has to reach an origin with all of it."),
    .duration(
      "relay.after_end", \.relay.afterEnd, in: .zero...(.seconds(8)),
      "How long an origin has to go on answering after a stream's end: where it is lost before that, the"
        + " end is sent to another one. Less than origins' `rtmp.handshake_timeout`."),
    .flag(
      "relay.proxy_header", \.relay.proxyHeader,
      "Whether origins are told the publisher's address by a PROXY protocol header (v2), which they"
        + " must take from this node (`proxy_protocol.trusted`). Needs `cluster.certificate`: nodes ask"
        + " each other at `listen.peers` then, where nobody wants such a header."),
    .duration(
      "relay.connect_timeout", \.relay.connectTimeout, in: .milliseconds(100)...(.seconds(60)),
      "With `rtmp.proxy: tcp`: how long one origin has to take a connection, its TLS included, before"
        + " the next one is tried."),
    .duration(
      "relay.idle_timeout", \.relay.idleTimeout, in: .seconds(1)...(.seconds(86_400)),
      "With `rtmp.proxy: tcp`: after how long a connection is closed on which nothing moves."),
    .size(
      "relay.pipe", \.relay.pipe, in: 4 << 10...1 << 20,
      "With `rtmp.proxy: tcp`: what may wait of one connection, each way, besides sockets' own"
        + " buffers."),
  ]
}
