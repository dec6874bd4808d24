import EventLoop
import Foundation
package import Redis
import Synchronization

/// A real `redis-server` (or, with `--sentinel`, a Sentinel) that a test starts, stops and hurts.
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
  private let running: Mutex<Running?>
  /// Those that were made here, as long as anybody has them.
  private let clients = Mutex<[WeakClient]>([])

  private struct WeakClient: Sendable { weak let client: RedisClient? }

  /// The program, and what it says after it was ready: that stays in the pipe, which has room for
  /// all that a test makes it say.
  private struct Running {
    let process: Process
    let output: Pipe
  }

  /// Starts a server on a free port and a Unix socket, and waits until it is ready.
  ///
  /// - Parameters:
  ///   - port: a certain one.
  ///   - folder: a certain one, with what the settings name in it.
  ///   - settings: lines of its configuration, as `--name value`; `{port}` is its port.
  /// - Throws: `Missing` where there is no such program, or it does not start.
  package init(port: UInt16? = nil, folder: String? = nil, settings: [String] = []) throws {
    let place = try Self.place(folder)
    let started = try Self.started(on: port, until: "Ready to accept connections") { port in
      [
        "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        "--dir", place, "--unixsocket", "\(place)/redis.sock", "--loglevel", "notice",
      ] + settings.map { $0 == "{port}" ? "\(port)" : $0 }
    }
    (self.folder, self.port, arguments) = (place, started.port, started.arguments)
    readyWords = "Ready to accept connections"
    running = Mutex(started.running)
  }

  /// Starts a Sentinel that watches the server of a port as `main`, alone, with little patience.
  package init(sentinelOf primary: UInt16) throws {
    let place = try Self.place(nil)
    let started = try Self.started(on: nil, until: "+monitor master") { port in
      let file = place + "/sentinel.conf"
      try """
      port \(port)
      bind 127.0.0.1
      dir \(place)
      sentinel monitor main 127.0.0.1 \(primary) 1
      sentinel down-after-milliseconds main 500
      sentinel failover-timeout main 5000

      """.write(toFile: file, atomically: true, encoding: .utf8)
      return [file, "--sentinel"]
    }
    (folder, port, arguments) = (place, started.port, started.arguments)
    readyWords = "+monitor master"
    running = Mutex(started.running)
  }

  deinit {
    kill()
    // Whoever still has one would go on to connect where another test listens by then.
    let left = clients.withLock { $0.compactMap(\.client) }
    Task { for client in left { await client.close() } }
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Starts it again after `kill`, empty.
  package func start() throws {
    let again = try Self.started(on: port, until: readyWords) { _ in arguments }
    running.withLock { $0 = again.running }
  }

  /// The pid, while it runs.
  package var pid: Int32? { running.withLock { $0?.process.processIdentifier } }

  /// Ends it at once and waits until it is gone.
  package func kill() {
    guard let process = running.withLock({ $0.take() })?.process else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Stops it where it stands: the kernel still takes connections and bytes for it.
  package func pause() throws {
    guard let pid else { return }
    Foundation.kill(pid, SIGSTOP)
    // The signal is on its way when the call returns; it could still answer meanwhile.
    while try !String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).contains(") T ") {}
  }

  package func resume() { if let pid { Foundation.kill(pid, SIGCONT) } }

  private static func place(_ folder: String?) throws -> String {
    let place = folder ?? NSTemporaryDirectory() + "wedlive-redis-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    return place
  }

  private static let taken = "Address already in use"

  /// Starts it on this port, which others may have for a moment; else on a free one, or the next
  /// where another program was quicker.
  private static func started(
    on given: UInt16?, until ready: String, _ arguments: (UInt16) throws -> [String]
  ) throws -> (port: UInt16, arguments: [String], running: Running) {
    var attempts = 0
    while true {
      let port = try given ?? freePort()
      let words = try arguments(port)
      do {
        return (port, words, try launch(words, until: ready))
      } catch let error as Missing where error.description.contains(taken) && attempts < 50 {
        attempts += 1
        if given != nil { usleep(100_000) }
      }
    }
  }

  private static func launch(_ arguments: [String], until ready: String) throws -> Running {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try executable("redis-server"))
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    var text = ""
    while !text.contains(ready) {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else {
        process.waitUntilExit()
        throw Missing(description: "redis-server ended: \(text)")
      }
      text += String(decoding: data, as: UTF8.self)
    }
    return Running(process: process, output: output)
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

  /// The settings that give a server one user beside the default one.
  package static func acl(_ rules: String) -> [String] {
    ["--user"] + rules.split(separator: " ").map(String.init)
  }

  /// What `redis-cli` would answer to a command, which may be one that our client doesn't send;
  /// nothing where the server is gone.
  ///
  /// Over a socket of its own: a process for each question is slow, and many at once are a strain.
  package func ask(_ words: String...) throws -> String {
    guard let address = SocketAddress(host: "127.0.0.1", port: port) else { return "" }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    guard descriptor >= 0, address.connect(descriptor) == 0 else { return "" }
    var request = Array("*\(words.count)\r\n".utf8)
    for word in words { request += "$\(word.utf8.count)\r\n\(word)\r\n".utf8 }
    guard unsafe write(descriptor, request, request.count) == request.count else { return "" }
    var reply: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      var index = 0
      if let text = Self.text(reply, &index) { return text + "\n" }
      let count = unsafe read(descriptor, &piece, piece.count)
      guard count > 0 else { return "" }
      reply += piece[..<count]
    }
  }

  /// A reply as `redis-cli` prints it where nobody looks; nil while it isn't whole.
  private static func text(_ reply: [UInt8], _ index: inout Int) -> String? {
    guard let end = reply[index...].firstIndex(of: 0x0A), end > index else { return nil }
    let kind = reply[index]
    let line = String(decoding: reply[(index + 1)..<(end - 1)], as: UTF8.self)
    index = end + 1
    switch kind {
    case UInt8(ascii: "$"):
      guard let count = Int(line), count >= 0 else { return "" }
      guard reply.count >= index + count + 2 else { return nil }
      defer { index += count + 2 }
      return String(decoding: reply[index..<index + count], as: UTF8.self)
    case UInt8(ascii: "*"):
      var texts: [String] = []
      for _ in 0..<max(0, Int(line) ?? 0) {
        guard let text = text(reply, &index) else { return nil }
        texts.append(text)
      }
      return texts.joined(separator: "\n")
    default: return line
    }
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

  /// A client that is connected, or, where the server doesn't run, knows that it isn't there.
  ///
  /// So a short patience is that with a connection that was lost: without this it would be over
  /// before a busy machine has made the first one.
  package func client(_ configuration: RedisConfiguration) throws -> RedisClient {
    let client = try RedisClient(configuration)
    clients.withLock { $0.append(WeakClient(client: client)) }
    // The client lives on a thread of its own, which needs none of those that tests run on.
    for _ in 0..<60_000 {
      switch client.state {
      case .connected: return client
      case .lost where pid == nil: return client
      default: usleep(500)
      }
    }
    throw Missing(description: "the client of port \(port) is \(client.state)")
  }
}
