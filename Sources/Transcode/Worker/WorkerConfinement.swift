import CLinux

#if canImport(Glibc)
  import Glibc
#endif

/// What a worker gives up before it reads a byte that somebody else wrote.
///
/// All of it is best effort: each step that a system refuses is named in `missing`.
package struct WorkerConfinement: Equatable, Sendable {
  /// What keeps it off the network and the files.
  package enum Isolation: String, Sendable {
    /// A seccomp filter denies new sockets, opening files, programs and processes.
    case seccomp
    /// A network namespace of its own; files can still be opened.
    case namespace
    /// Neither was permitted.
    case none
  }

  package private(set) var isolation = Isolation.none
  /// What was refused, for a person.
  package private(set) var missing: [String] = []

  /// Takes effect at once, for the whole process and for good.
  ///
  /// - Parameter limits: of memory and priority.
  package init(_ limits: WorkerLimits) {
    // The clock's time zone is read while files can be.
    tzset()
    let process = CInt(0)
    if limits.niceness > 0,
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(process), CInt(limits.niceness))
        != 0
    {
      missing.append("priority")
    }
    limit(__RLIMIT_RESOURCE_CORE, 0, "no core dumps")
    limit(__RLIMIT_RESOURCE_FSIZE, limits.fileBytes, "size of files")
    if limits.memoryBytes > 0 {
      // Sanitizers map terabytes at start: a limit below that would only break them.
      if Self.addressSpace() < limits.memoryBytes {
        limit(__RLIMIT_RESOURCE_AS, limits.memoryBytes, "memory limit")
      } else {
        missing.append("memory limit")
      }
    }
    if wl_drop_root() != 0 { missing.append("dropping root") }
    if wl_confine_worker() == 0 {
      isolation = .seccomp
    } else if wl_leave_network() == 0 {
      isolation = .namespace
      missing.append("seccomp")
    } else {
      missing.append("seccomp, network namespace")
    }
  }

  private mutating func limit(_ resource: CInt, _ value: UInt64, _ name: String) {
    var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
    if unsafe setrlimit(__rlimit_resource_t(UInt32(resource)), &limit) != 0 {
      missing.append(name)
    }
  }

  /// Bytes of address space in use; 0 if the system doesn't say.
  private static func addressSpace() -> UInt64 {
    let descriptor = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    let digits = bytes.prefix(max(0, count)).prefix { $0 != 0x20 }
    return (UInt64(String(decoding: digits, as: UTF8.self)) ?? 0)
      * UInt64(sysconf(CInt(_SC_PAGESIZE)))
  }
}

private let __RLIMIT_RESOURCE_CORE = CInt(4)
private let __RLIMIT_RESOURCE_FSIZE = CInt(1)
private let __RLIMIT_RESOURCE_AS = CInt(9)
