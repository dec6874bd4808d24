import Glibc

/// How many descriptors the process may have open (`RLIMIT_NOFILE`).
///
/// The soft limit, usually 1024, is for programs that use `select`; nothing here does.
enum DescriptorLimit {
  /// What files, pipes to workers, timers and listening sockets may take beside connections.
  static let others = 1_024

  /// Raises the soft limit to the hard one.
  ///
  /// - Returns: how many may be open now.
  static func raise() -> Int {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    // An unlimited hard limit is above what the kernel allows: then the soft one stays as it was.
    if unsafe setrlimit(resource, &limit) != 0 { limit.rlim_cur = before }
    return Int(clamping: limit.rlim_cur)
  }

  /// How many descriptors the configured connections may take.
  ///
  /// - Parameters:
  ///   - configuration: of the node.
  ///   - loops: that each hold that many.
  /// - Returns: those of all loops, and `others`.
  static func needed(_ configuration: NodeConfiguration, loops: Int) -> Int {
    loops * (configuration.rtmp.maxConnections + configuration.http.maxConnections) + others
  }
}
