import Foundation

/// A server written in Python, in a child process, that prints a line once it listens.
///
/// Its standard input ends when this is let go, and when the test process ends, however that
/// happens: the server reads it, and ends with it.
package final class PythonServer: Sendable {
  package struct Failed: Error, CustomStringConvertible {
    package let description: String
  }

  /// What it printed: where it listens.
  package let line: String
  private let leash = Pipe()

  /// Starts a server whose text is given.
  ///
  /// - Throws: `Failed` where it ends without a line; what Foundation throws where Python can't be
  ///   started.
  package convenience init(script: String) throws { try self.init(["-c", script]) }

  /// Starts a server from `Tests/Integration/support`, isolated: modules beside it have names of
  /// Python's own.
  ///
  /// - Throws: as the other does.
  package convenience init(support name: String) throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
    try self.init(["-I", tests.appending(path: "Integration/support").appending(path: name).path])
  }

  private init(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = leash
    try process.run()
    var text = Data()
    while text.last != UInt8(ascii: "\n") {
      let data = output.fileHandleForReading.availableData
      if data.isEmpty { throw Failed(description: "python3 ended before its server listened") }
      text += data
    }
    line = String(decoding: text.dropLast(), as: UTF8.self)
  }

  deinit { try? leash.fileHandleForWriting.close() }

  /// The host and port of a server that prints its port.
  ///
  /// - Throws: `Failed` where it printed something else.
  package var authority: String {
    get throws {
      guard let port = UInt16(line) else {
        throw Failed(description: "\"\(line)\" is no port")
      }
      return "127.0.0.1:\(port)"
    }
  }
}
