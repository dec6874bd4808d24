import CLinux

#if canImport(Glibc)
  import Glibc
#endif

/// How a child process is started: with exactly the descriptors named, and nothing of the parent's.
struct SpawnPlan {
  var executable: String
  /// With the program's name first.
  var arguments: [String]
  /// Becomes `WorkerProcess.outputDescriptor`.
  var output: CInt
  /// Become `WorkerProcess.inputDescriptor` and those after it.
  var files: [CInt]

  /// Starts it.
  ///
  /// - Returns: the process number.
  func spawn() throws(TranscodeError) -> CInt {
    // Copies above the numbers that the child uses, so that no duplication can hit another's
    // source.
    var sources: [CInt] = []
    defer { for source in sources { close(source) } }
    for descriptor in [output] + files {
      let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 16 + CInt(files.count))
      guard copy >= 0 else {
        throw TranscodeError.system("handing a descriptor to a worker", errno: errno)
      }
      sources.append(copy)
    }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var next = WorkerProcess.outputDescriptor
    for source in sources {
      unsafe posix_spawn_file_actions_adddup2(&actions, source, next)
      next += 1
    }
    unsafe posix_spawn_file_actions_addclosefrom_np(&actions, next)

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // The node blocks and ignores signals; the child starts with none of that.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    unsafe posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    var processID: CInt = 0
    let result = unsafe Self.withCStrings(arguments) { argv in
      unsafe Self.withCStrings(Self.environment()) { envp in
        unsafe posix_spawn(&processID, executable, &actions, &attributes, argv, envp)
      }
    }
    guard result == 0 else {
      throw TranscodeError.system("starting \(executable)", errno: result)
    }
    return processID
  }

  /// The time zone, where libraries lie, and what sanitizers need; never the node's own settings.
  ///
  /// Two heaps are enough for threads that allocate little: each further one takes 64 MiB of the
  /// address space that a worker is limited in.
  private static func environment() -> [String] {
    let kept = ["TZ", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"]
    return kept.compactMap { name in
      unsafe getenv(name).map { unsafe "\(name)=" + String(cString: $0) }
    } + ["SWIFT_BACKTRACE=enable=no", "MALLOC_ARENA_MAX=2"]
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe body(copies)
  }
}
