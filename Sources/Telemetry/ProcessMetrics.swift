import Glibc

/// What the kernel says about this process, under the names that Prometheus' client libraries use.
package enum ProcessMetrics {
  /// Adds `process_…` and `wedlive_build_info` to a registry; all are read at scrape.
  ///
  /// - Parameters:
  ///   - registry: where they are added.
  ///   - version: of this build, for example `0.1.0`.
  package static func register(in registry: MetricRegistry, version: String) {
    registry.counter(
      "process_cpu_seconds_total", help: "User and system CPU time spent, in seconds."
    ) { cpuSeconds() }
    registry.gauge("process_resident_memory_bytes", help: "Resident memory, in bytes.") {
      Double(residentBytes())
    }
    HeapMetrics.register(in: registry)
    registry.gauge("process_open_fds", help: "Open file descriptors.") {
      Double(openDescriptors())
    }
    registry.gauge("process_max_fds", help: "The limit of open file descriptors.") {
      var limit = rlimit()
      unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      return Double(limit.rlim_cur)
    }
    registry.gauge("process_threads", help: "Threads of the process.") {
      Double(entries(of: "/proc/self/task"))
    }
    let start = startTime()
    registry.gauge(
      "process_start_time_seconds", help: "Start of the process, seconds since 1970."
    ) { start }
    registry.gauge(
      "wedlive_build_info", help: "Always 1; the labels say what was built.",
      labels: ["version": version]
    ) { 1 }
  }

  /// Resident memory in bytes, 0 where `/proc` is not there.
  package static func residentBytes() -> Int {
    let fields = read("/proc/self/statm").split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  /// Open descriptors of this process, without the one that counts them.
  package static func openDescriptors() -> Int { max(0, entries(of: "/proc/self/fd") - 1) }

  /// When this process began, in seconds since 1970.
  package static func startTime() -> Double {
    // The command's name stands in parentheses and may hold spaces: count fields after the last.
    let stat = read("/proc/self/stat")
    let now = clock(CLOCK_REALTIME)
    guard let close = stat.lastIndex(of: ")") else { return now }
    let fields = stat[stat.index(after: close)...].split(separator: " ")
    let ticksPerSecond = sysconf(Int32(_SC_CLK_TCK))
    guard fields.count > 19, let ticks = Double(fields[19]), ticksPerSecond > 0 else { return now }
    return now - clock(CLOCK_BOOTTIME) + ticks / Double(ticksPerSecond)
  }

  /// CPU seconds that the process has used, in user and system mode.
  package static func cpuSeconds() -> Double { clock(CLOCK_PROCESS_CPUTIME_ID) }

  static func clock(_ id: clockid_t) -> Double {
    var time = timespec()
    unsafe clock_gettime(id, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private static func entries(of path: String) -> Int {
    guard let directory = unsafe opendir(path) else { return 0 }
    defer { unsafe closedir(directory) }
    var count = 0
    while unsafe readdir(directory) != nil { count += 1 }
    return max(0, count - 2)
  }

  /// The first 4 KiB of a file of the kernel; empty where it is not there.
  static func read(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
    }
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }
}
