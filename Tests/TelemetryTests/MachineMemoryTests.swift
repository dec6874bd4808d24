import Foundation
import Testing

@testable import Telemetry

@Suite struct `Machine memory` {
  private let machine = MachineMemory.bytes(root: "/nonexistent")

  /// What is found where the kernel's files say this.
  private func bytes(_ files: [String: String]) throws -> Int {
    let root = NSTemporaryDirectory() + "wedlive-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    for (path, text) in files {
      let file = URL(filePath: root + path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return MachineMemory.bytes(root: root)
  }

  @Test func `without a control group it is the machine's`() throws {
    #expect(machine > 64 << 20)
    #expect(machine < .max)
    #expect(
      try bytes(["/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/memory.max": "max\n"]) == machine
    )
    #expect(
      try bytes([
        "/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/memory.max": "\(machine + 4_096)\n",
      ]) == machine)
  }

  @Test(arguments: ["/", "/system.slice/w.service", "/docker/of-the-host"])
  func `a container's own group stands at the top`(path: String) throws {
    #expect(
      try bytes([
        "/proc/self/cgroup": "0::\(path)\n", "/sys/fs/cgroup/memory.max": "1048576\n",
      ]) == 1 << 20)
  }

  @Test func `the least of all groups above counts`() throws {
    #expect(
      try bytes([
        "/proc/self/cgroup": "0::/a/b/c\n", "/sys/fs/cgroup/a/b/c/memory.max": "max\n",
        "/sys/fs/cgroup/a/b/memory.max": "1048576\n", "/sys/fs/cgroup/a/memory.max": "2097152\n",
      ]) == 1 << 20)
  }

  @Test func `version 1 has a tree of its own for memory`() throws {
    #expect(
      try bytes([
        "/proc/self/cgroup": "12:cpu,cpuacct:/x\n5:memory:/a\n0::/y\n",
        "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1048576\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      ]) == 1 << 20)
  }
}
