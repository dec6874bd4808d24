import EventLoop

/// All listening sockets of a node, open before anything of it runs: a port in use is an error at
/// the start, and nothing is left half-started.
struct NodeListeners: Sendable {
  let rtmp: ListenerSockets?
  let rtmps: ListenerSockets?
  let https: ListenerSockets?
  let http: ListenerSockets?
  let admin: ListenerSockets?

  /// Opens every socket that the configuration asks for.
  ///
  /// - Throws: `StartFailure` naming the key and the address.
  init(_ listen: ListenSection, loops: Int) throws(StartFailure) {
    rtmp = try ListenerSockets.open("listen.rtmp", listen.rtmp, count: loops)
    rtmps = try ListenerSockets.open("listen.rtmps", listen.rtmps, count: loops)
    https = try ListenerSockets.open("listen.https", listen.https, count: loops)
    http = try ListenerSockets.open("listen.http", listen.http, count: loops)
    admin = try ListenerSockets.open("listen.admin", listen.admin, count: loops)
  }

  /// Name and address of each, for the banner.
  var described: [Banner.Listener] {
    [("RTMP", rtmp), ("RTMPS", rtmps), ("HTTPS", https), ("HTTP", http), ("admin", admin)]
      .compactMap { name, sockets in
        sockets.map { Banner.Listener(name: name, address: "\($0.address)") }
      }
  }
}

extension ListenerSockets {
  /// The socket of one loop; to be taken once.
  func socket(_ index: Int) -> Socket { Socket(owning: descriptors[index]) }
}
