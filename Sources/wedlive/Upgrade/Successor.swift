import CLinux
import EventLoop
import Foundation
import Glibc

/// The process that is to take over from this one: the program that stands now where this one was
/// started from, with the same arguments.
struct Successor: Sendable {
  let process: pid_t
  let path: String

  /// Starts it.
  ///
  /// - Parameter inheritance: what it is given; the descriptors stay this process's as well.
  /// - Returns: the process, which may end before it is ready.
  /// - Throws: `StartFailure` naming the program.
  static func start(_ inheritance: Inheritance) throws(StartFailure) -> Successor {
    let path = program()
    // Copies above the numbers that the new one uses, so that no duplication hits another's source.
    let all = inheritance.descriptors
    var copies: [Int32] = []
    defer { for copy in copies { close(copy) } }
    for descriptor in all {
      let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, first + Int32(all.count))
      guard copy >= 0 else {
        throw StartFailure("descriptors: \(SystemError("fcntl", errno))")
      }
      copies.append(copy)
    }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    var numbers: [Int32: Int32] = [:]
    for (index, copy) in copies.enumerated() {
      numbers[all[index]] = first + Int32(index)
      unsafe posix_spawn_file_actions_adddup2(&actions, copy, first + Int32(index))
    }
    unsafe posix_spawn_file_actions_addclosefrom_np(&actions, first + Int32(all.count))
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // What this one blocks and ignores is no business of the new one's, but for what would end it
    // before it listens to it.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe sigdelset(&signals, SIGHUP)
    unsafe sigdelset(&signals, SIGUSR2)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let given = inheritance.renumbered { numbers[$0] ?? -1 }
    var environment = ProcessInfo.processInfo.environment
    environment[Inheritance.variable] = given.text
    var process: pid_t = 0
    let result = unsafe withCStrings(CommandLine.arguments) { arguments in
      unsafe withCStrings(environment.map { "\($0)=\($1)" }) { variables in
        unsafe posix_spawn(&process, path, &actions, &attributes, arguments, variables)
      }
    }
    guard result == 0 else {
      throw StartFailure("\(path): \(unsafe String(cString: strerror(result)))")
    }
    return Successor(process: process, path: path)
  }

  /// Ends it, where it hasn't ended, and says how it did.
  func reap(killing: Bool) -> String {
    if killing { kill(process, SIGKILL) }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { return "it is gone" }
    }
    let signal = status & 0x7f
    return signal == 0 ? "exit status \(status >> 8 & 0xff)" : "signal \(signal)"
  }

  /// The number of the first descriptor that it is given.
  private static let first: Int32 = 3

  /// Where this process was started from: a link there, or a new file, is followed anew.
  private static func program() -> String {
    let name = CommandLine.arguments.first ?? ""
    let files = FileManager.default
    if name.contains("/") {
      if files.isExecutableFile(atPath: name) { return name }
    } else if !name.isEmpty {
      let folders = ProcessInfo.processInfo.environment["PATH"] ?? ""
      for folder in folders.split(separator: ":") {
        let path = "\(folder)/\(name)"
        if files.isExecutableFile(atPath: path) { return path }
      }
    }
    let link = (try? files.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? name
    return link.hasSuffix(" (deleted)") ? String(link.dropLast(10)) : link
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe body(copies)
  }
}
