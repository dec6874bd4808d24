import Foundation

/// What the kernel knows of the sockets of this machine.
enum SocketTable {
  /// Whether a connection to this port holds bytes that its owner has not read.
  static func hasUnreadBytes(port: UInt16) throws -> Bool {
    // Read to its end, which comes in many pieces: it has no size.
    guard let file = FileHandle(forReadingAtPath: "/proc/net/tcp") else { return false }
    let table = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    let local = ":" + String(format: "%04X", Int(port))
    return table.split(separator: "\n").dropFirst().contains { line in
      // sl local_address rem_address st tx_queue:rx_queue …
      let words = line.split(separator: " ")
      return words.count > 4 && words[1].hasSuffix(local) && words[3] == "01"
        && !words[4].hasSuffix(":00000000")
    }
  }
}
