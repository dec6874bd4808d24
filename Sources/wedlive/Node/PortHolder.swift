import EventLoop
import Foundation

/// Which process listens at a port, as far as `/proc` tells: for the words of an error alone.
///
/// Of processes of other users only root is told; nobody is told of those in other containers.
struct PortHolder: Equatable, Sendable {
  let process: Int
  /// What it is called: at most 15 bytes, as the kernel keeps it.
  let name: String

  /// Looks for the process that keeps an address from being listened at.
  ///
  /// Reads the descriptors of all processes, so it is for a start that has failed.
  ///
  /// - Parameters:
  ///   - address: with a port.
  ///   - root: where the kernel's files are; another folder in tests.
  /// - Returns: nil where nobody is found.
  static func find(_ address: SocketAddress, root: String = "/proc") -> PortHolder? {
    let sockets = Set(
      ["tcp", "tcp6"].flatMap { file in
        read("\(root)/net/\(file)").split(separator: "\n").dropFirst().compactMap {
          Socket($0).flatMap { $0.isInTheWay(of: address) ? "socket:[\($0.inode)]" : nil }
        }
      })
    guard !sockets.isEmpty else { return nil }
    let files = FileManager.default
    for process in ((try? files.contentsOfDirectory(atPath: root)) ?? []).compactMap({ Int($0) }) {
      let folder = "\(root)/\(process)/fd"
      let descriptors = (try? files.contentsOfDirectory(atPath: folder)) ?? []
      let isIts = descriptors.contains { descriptor in
        let target = try? files.destinationOfSymbolicLink(atPath: "\(folder)/\(descriptor)")
        return target.map { sockets.contains($0) } ?? false
      }
      if isIts {
        let name = read("\(root)/\(process)/comm").filter { $0 != "\n" }
        return PortHolder(process: process, name: name)
      }
    }
    return nil
  }

  private static func read(_ path: String) -> String {
    // Other ways of Foundation's end at the first page: files there have no length.
    let bytes = try? FileHandle(forReadingAtPath: path)?.readToEnd()
    return String(decoding: bytes ?? Data(), as: UTF8.self)
  }
}

extension PortHolder {
  /// One line of `/proc/net/tcp` or `/proc/net/tcp6`, of a socket that listens.
  struct Socket: Equatable {
    let host: String
    let port: UInt16
    let inode: String

    /// Reads `N: ADDRESS:PORT REMOTE:PORT STATE … INODE …`, where 0A is the state of one that
    /// listens.
    ///
    /// - Returns: nil for all others.
    init?(_ line: Substring) {
      let fields = line.split(separator: " ")
      guard fields.count > 9, fields[3] == "0A" else { return nil }
      let parts = fields[1].split(separator: ":")
      guard parts.count == 2, let port = UInt16(parts[1], radix: 16),
        let host = Self.host(parts[0])
      else { return nil }
      self.host = host
      self.port = port
      inode = String(fields[9])
    }

    /// An address of the kernel's: words of four bytes, each as this machine has it in memory.
    private static func host(_ text: Substring) -> String? {
      guard text.count == 8 || text.count == 32 else { return nil }
      var bytes: [UInt8] = []
      var rest = text
      while !rest.isEmpty {
        guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
        bytes += unsafe withUnsafeBytes(of: word) { unsafe Array($0) }
        rest = rest.dropFirst(8)
      }
      let written =
        bytes.count == 4
        ? bytes.map { "\($0)" }.joined(separator: ".")
        : stride(from: 0, to: 16, by: 2).map {
          String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16)
        }.joined(separator: ":")
      return SocketAddress(host: written, port: 0)?.host
    }

    func isInTheWay(of address: SocketAddress) -> Bool {
      let all = ["::", "0.0.0.0"]
      return port == address.port
        && (all.contains(host) || all.contains(address.host) || host == address.host)
    }
  }
}
