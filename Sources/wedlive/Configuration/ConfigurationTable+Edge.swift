import Edge

extension ConfigurationTable {
  static let edge: [ConfigurationKey] = [
    .list(
      "edge.upstreams", \.edge.upstreams, takes: "http:// or https:// addresses without a path",
      example: "https://origin-1.example.com:8443",
      "The servers behind an edge, all of which serve the same.",
      where: { Upstream($0) != nil }),
    .file(
      "edge.ca", \.edge.certificateAuthorities, example: "/etc/wedlive/cluster-ca.pem",
      "PEM file of authorities to trust there in place of the system's."),
    .size(
      "edge.memory", \.edge.memory, in: 0...1 << 50,
      "What the cache may take in memory; 0 is a quarter of the machine's, or of its control group's"
        + " limit."),
    .size(
      "edge.fill_memory", \.edge.fillMemory, in: 0...1 << 50,
      "What bodies may take in memory, beside `edge.memory`, that are on their way in or still held by slow"
        + " clients; beyond it larger ones than `edge.max_unread` are handed on at the pace of who reads"
        + " them, and not kept. 0 is half of `edge.memory`, and `edge.max_object` at least."),
    .count(
      "edge.memory_objects", \.edge.memoryObjects, in: 100...100_000_000,
      "How many objects it has there at most."),
    .size(
      "edge.disk", \.edge.disk, in: 0...1 << 60,
      "What the cache may take on disk; 0 keeps nothing there."),
    .count(
      "edge.disk_objects", \.edge.diskObjects, in: 100...100_000_000,
      "How many objects it has there at most."),
    .size(
      "edge.disk_waiting", \.edge.diskWaiting, in: 1 << 20...1 << 40,
      "What may wait for a slow disk in memory; what comes beyond it is not kept there."),
    .text(
      "edge.disk_path", \.edge.diskPath, takes: "the path of a folder",
      "Its folder there; made if missing, and `cache` in the data folder where none is named.",
      where: { _ in true }),
    .size(
      "edge.max_object", \.edge.maxObject, in: 1 << 10...1 << 30,
      "The largest object that is kept whole; larger ones that can't be kept in slices are handed on."
    ),
    .size(
      "edge.slice", \.edge.slice, in: 0...64 << 20,
      "Of which parts large objects are kept, each asked for by itself; 0: they are kept whole. Less"
        + " than 64k counts as 64k."),
    .size(
      "edge.max_unread", \.edge.maxUnread, in: 64 << 10...1 << 30,
      "What a slow client may leave unread of what isn't kept, before the upstream has to wait."),
    .size(
      "edge.max_answer", \.edge.maxAnswer, in: 1 << 10...1 << 30,
      "The largest answer to a request that isn't GET or HEAD."),
    .duration(
      "edge.purge_grace", \.edge.purgeGrace, in: .zero...(.seconds(86_400)),
      "How long what is purged softly is served at least, while it is asked for anew or where that"
        + " fails, unless its origin allows nothing stale."),
    .duration(
      "edge.purge_wait", \.edge.purgeWait, in: .milliseconds(100)...(.seconds(300)),
      "How long the answer to `POST /cache/purge` waits until the disk has it; then it is 503"
        + " `disk_not_done`, and the purge may be made again."),
    .duration(
      "edge.head_timeout", \.edge.headTimeout, in: .milliseconds(100)...(.seconds(600)),
      "How long an upstream may take until it answers."),
    .duration(
      "edge.stall_timeout", \.edge.stallTimeout, in: .seconds(1)...(.seconds(600)),
      "How long it may send nothing then."),
    .size(
      "edge.unread_rate", \.edge.unreadRate, in: 0...1 << 30,
      "How many bytes a second a response must bring to be gone on with when all who asked for it have"
        + " left; else it is ended. 0: however few."),
    .duration(
      "edge.unread_time", \.edge.unreadTime, in: .seconds(1)...(.seconds(3_600)),
      "Over how long that is measured."),
    .duration(
      "edge.connect_timeout", \.edge.connectTimeout, in: .milliseconds(100)...(.seconds(60)),
      "How long a connection to it may take, TLS included."),
    .count(
      "edge.max_requests", \.edge.maxRequests, in: 1...100_000,
      "How many requests are with all upstreams at once; more wait."),
    .count(
      "edge.max_per_upstream", \.edge.maxPerUpstream, in: 1...10_000,
      "How many connections one host gets."),
    .count(
      "edge.max_waiting", \.edge.maxWaiting, in: 0...1_000_000,
      "How many requests wait; more are answered 502."),
    .count(
      "edge.max_fails", \.edge.maxFails, in: 0...1_000,
      "After how many failures within `edge.fail_timeout` an upstream is left alone; 0: never."),
    .duration(
      "edge.fail_timeout", \.edge.failTimeout, in: .seconds(1)...(.seconds(3_600)), "How long."),
    .duration(
      "edge.probe_every", \.edge.probeEvery, in: .milliseconds(100)...(.seconds(3_600)),
      "How often all of `edge.upstreams` are asked (HEAD /) until one has answered, which makes the edge"
        + " ready, and while all are left alone."),
    .duration(
      "edge.probe_timeout", \.edge.probeTimeout, in: .milliseconds(100)...(.seconds(60)),
      "How long they may take to answer that."),
    .count(
      "edge.live_streams", \.edge.liveStreams, in: 1...1_000_000,
      "How many live streams of the cluster are followed at once; viewers of more get 503."),
    .count(
      "edge.live_unanswered", \.edge.liveUnanswered, in: 1...1_000_000,
      "How many of these may be such that no node has said anything of yet: anybody can ask for names"
        + " that no stream has."),
    .duration(
      "edge.live_answer", \.edge.liveAnswer, in: .milliseconds(100)...(.seconds(60)),
      "How long a node may take to say what it has of a stream."),
    .duration(
      "edge.live_idle", \.edge.liveIdle, in: .seconds(5)...(.seconds(3_600)),
      "How long after its last viewer one is followed."),
    .duration(
      "edge.live_grace", \.edge.liveGrace, in: .seconds(1)...(.seconds(3_600)),
      "How long a stream goes on for viewers that no node has any more; then its playlists end, and can"
        + " be had for as long again. Also how long numbers that have gone back are not believed."),
    .duration(
      "edge.segment_stall", \.edge.segmentStall, in: .milliseconds(500)...(.seconds(600)),
      "How long a node may send nothing of a live segment: players have no more time than that."),
    .size(
      "edge.max_feed", \.edge.maxFeed, in: 1 << 20...1 << 30,
      "The largest state of a stream that is taken from another node; hours of DVR make it large."),
  ]
}
