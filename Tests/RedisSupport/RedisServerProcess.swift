import EventLoop
import Foundation
package import Redis
import Synchronization

/// A real `redis-server` that a test starts, stops and hurts.
package final class RedisServerProcess: Sendable {
  package struct Missing: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
  }

  /// Its folder, with `redis.sock` in it; removed with it.
  package let folder: String
  package let port: UInt16
  private let arguments: [String]
  private let readyWords: String
  private let process: Mutex<Process?>
  private let output = Mutex<Pipe?>(nil)

  /// Starts a server on a free port and a Unix socket, and waits until it is ready.
  ///
  /// - Parameters:
  ///   - port: a certain one.
  ///   - folder: a certain one, with what the settings name in it.
  ///   - settings: lines of its configuration, as `--name value`.
  /// - Throws: `Missing` where there is no such program, or it does not start.
  package init(port: UInt16? = nil, folder: String? = nil, settings: [String] = []) throws {
    self.port = try port ?? Self.freePort()
    self.folder =
      folder ?? NSTemporaryDirectory() + "wedlive-redis-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: self.folder, withIntermediateDirectories: true)
    arguments =
      [
        "--port", "\(self.port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        "--dir", self.folder, "--unixsocket", "\(self.folder)/redis.sock", "--loglevel", "notice",
      ] + settings
    readyWords = "Ready to accept connections"
    process = Mutex(nil)
    try start()
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Starts it again after `kill`, empty.
  package func start() throws { try launch(arguments, until: readyWords) }

  /// The pid, while it runs.
  package var pid: Int32? { process.withLock { $0?.processIdentifier } }

  /// Ends it at once and waits until it is gone.
  package func kill() {
    guard let running = process.withLock({ $0.take() }) else { return }
    Foundation.kill(running.processIdentifier, SIGKILL)
    running.waitUntilExit()
  }

  /// Stops it where it stands: the kernel still takes connections and bytes for it.
  package func pause() throws {
    guard let pid else { return }
    Foundation.kill(pid, SIGSTOP)
    // The signal is on its way when the call returns; it could still answer meanwhile.
    while try !String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).contains(") T ") {}
  }

  package func resume() { if let pid { Foundation.kill(pid, SIGCONT) } }

  private func launch(_ arguments: [String], until ready: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try Self.executable("redis-server"))
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    self.process.withLock { $0 = process }
    var text = ""
    while !text.contains(ready) {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw Missing(description: "redis-server ended: \(text)") }
      text += String(decoding: data, as: UTF8.self)
    }
    // What it says later stays in the pipe, which has room for all that a test makes it say.
    self.output.withLock { $0 = output }
  }

  package static func executable(_ name: String) throws -> String {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    for folder in folders + ["/usr/bin", "/usr/local/bin"] {
      let path = "\(folder)/\(name)"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw Missing(description: "\(name) is not installed: `make setup` installs it")
  }

  package static func freePort() throws -> UInt16 {
    guard let any = SocketAddress(host: "127.0.0.1", port: 0) else { return 0 }
    return try Socket.listening(on: any).localAddress.port
  }

  // MARK: For tests

  /// What `redis-cli` answers to a command, which may be one that our client doesn't send.
  package func ask(_ words: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try Self.executable("redis-cli"))
    process.arguments = ["-p", "\(port)"] + words
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  /// A configuration to reach it, patient enough for a busy machine.
  package func configuration(_ text: String? = nil) throws -> RedisConfiguration {
    var configuration = RedisConfiguration(
      try RedisAddress(text ?? "redis://127.0.0.1:\(port)/0"))
    configuration.commandDeadline = .seconds(30)
    configuration.reconnectPatience = .seconds(30)
    configuration.connectDeadline = .seconds(10)
    return configuration
  }
}
