import EventLoop

/// All listening sockets of a node, open before anything of it runs: a port in use is an error at
/// the start, and nothing is left half-started.
struct NodeListeners: Sendable {
  let rtmp: ListenerSockets?
  let rtmps: ListenerSockets?
  let https: ListenerSockets?
  let http: ListenerSockets?
  let peers: ListenerSockets?
  let peersRTMPS: ListenerSockets?
  let admin: ListenerSockets?

  /// Opens every socket that the configuration asks for.
  ///
  /// - Parameters:
  ///   - listen: where.
  ///   - loops: how many there are.
  ///   - inheritance: sockets that the process before this one has opened.
  /// - Throws: `StartFailure` naming the key and the address.
  init(
    _ listen: ListenSection, loops: Int, after inheritance: Inheritance? = nil
  ) throws(StartFailure) {
    func open(_ key: String, _ endpoint: Endpoint) throws(StartFailure) -> ListenerSockets? {
      try ListenerSockets.open(key, endpoint, count: loops, given: inheritance?.places[key])
    }
    rtmp = try open("listen.rtmp", listen.rtmp)
    rtmps = try open("listen.rtmps", listen.rtmps)
    https = try open("listen.https", listen.https)
    http = try open("listen.http", listen.http)
    peers = try open("listen.peers", listen.peers)
    peersRTMPS = try open("listen.peers_rtmps", listen.peersRTMPS)
    admin = try open("listen.admin", listen.admin)
  }

  /// Those that are open, by their endpoint's key.
  var byKey: [String: ListenerSockets] {
    [
      "listen.rtmp": rtmp, "listen.rtmps": rtmps, "listen.https": https, "listen.http": http,
      "listen.peers": peers, "listen.peers_rtmps": peersRTMPS, "listen.admin": admin,
    ].compactMapValues { $0 }
  }

  /// Name and address of each, for the banner.
  var described: [Banner.Listener] {
    [
      ("RTMP", rtmp), ("RTMPS", rtmps), ("HTTPS", https), ("HTTP", http), ("peers", peers),
      ("peers", peersRTMPS),
      ("admin", admin),
    ]
    .compactMap { name, sockets in
      sockets.map { Banner.Listener(name: name, address: "\($0.address)") }
    }
  }
}
