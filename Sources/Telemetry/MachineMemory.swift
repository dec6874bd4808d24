import Glibc

/// How much memory this process may have.
package enum MachineMemory {
  /// The machine's memory in bytes, or less where a control group of the process says so.
  ///
  /// The limits of all groups above count as well. In a container the files of its own group stand
  /// at the top, whatever its path is called outside. Source: cgroups(7), and the kernel's
  /// `cgroup-v2.rst` and `cgroup-v1/memory.rst`.
  ///
  /// - Parameter root: what the paths begin with, for tests.
  /// - Returns: the least of them.
  package static func bytes(root: String = "") -> Int {
    let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    var least = machine > 0 ? machine : Int.max
    for line in ProcessMetrics.read(root + "/proc/self/cgroup").split(separator: "\n") {
      // Number, controllers, path; version 2 has no controllers.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let controllers = parts[1].split(separator: ",")
      if controllers.isEmpty {
        least = min(least, limit(root + "/sys/fs/cgroup", parts[2], "memory.max"))
      } else if controllers.contains("memory") {
        least = min(least, limit(root + "/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"))
      }
    }
    return least
  }

  /// The least limit of a group and of those above it; `Int.max` where none says anything.
  private static func limit(_ mount: String, _ path: Substring, _ file: String) -> Int {
    var least = Int.max
    var names = path.split(separator: "/")
    while true {
      let folder = ([mount[...]] + names).joined(separator: "/")
      // `max` in version 2; a number beyond any machine in version 1.
      let text = ProcessMetrics.read("\(folder)/\(file)").prefix { $0.isNumber }
      if let bytes = Int(text), bytes > 0 { least = min(least, bytes) }
      if names.popLast() == nil { return least }
    }
  }
}
