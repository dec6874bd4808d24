import Foundation
import Logging
import Telemetry
import Testing

private let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl_-x"

/// A sink that writes to a file which is read back.
private struct Log: ~Copyable {
  let sink: LogSink
  private let file: FileHandle
  private let path: String

  init(
    _ format: LogSink.Format, limiter: LogLimiter = LogLimiter(),
    clock: @escaping @Sendable () -> LogTime = { LogTime(milliseconds: 1_795_818_841_123) }
  ) throws {
    path = NSTemporaryDirectory() + "wedlive-log-\(UUID().uuidString)"
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    file = try #require(FileHandle(forUpdatingAtPath: path))
    sink = LogSink(
      descriptor: file.fileDescriptor, format: format, node: "n1", process: 71, limiter: limiter,
      clock: clock)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func logger() -> Logger {
    let sink = sink
    return Logger(label: "ingest") { sink.handler(label: $0) }
  }

  func lines() throws -> [String] {
    #expect(sink.settle(within: .seconds(30)))
    let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    return text.split(separator: "\n").map(String.init)
  }

  func objects() throws -> [[String: String]] {
    try lines().map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      return try #require(object as? [String: String])
    }
  }
}

@Suite struct `Log lines` {
  @Test func `an event is one line of flat JSON`() throws {
    let log = try Log(.json)
    log.logger().info(
      "stream live",
      metadata: [
        "wedding": "w\"1\n\u{1}é", "from": ["ip": "::1", "port": "9"], "list": ["a", "b"],
        "level": "x", "pid": "9",
      ])
    let object = try #require(try log.objects().first)
    #expect(
      object == [
        "ts": "2026-11-27T22:34:01.123Z", "level": "info", "event": "stream live", "node": "n1",
        "pid": "71", "logger": "ingest", "wedding": "w\"1\n\u{1}é", "from.ip": "::1",
        "from.port": "9",
        "list": "[\"a\", \"b\"]", "field.level": "x", "field.pid": "9",
      ])
    #expect(try log.lines().count == 1)
  }

  @Test func `no secret is written, whether it is a key's, a value's or the message's`() throws {
    for format in LogSink.Format.allCases {
      let log = try Log(format)
      log.logger().warning(
        "refused \(jwt)",
        metadata: [
          "token": "hush", "url": "rtmp://a/live/\(jwt)", "nested": ["stream_key": "hush"],
          "list": ["\(jwt)"], "query": "token=hush",
          "long": "\(String(repeating: "x ", count: 500))\(jwt)\(jwt)",
        ])
      let text = try log.lines().joined()
      #expect(text.contains("[redacted]"))
      for secret in ["hush", "eyJ", "c2lnbmF0dXJl"] {
        #expect(!text.contains(secret), "\(format) \(secret)")
      }
    }
  }

  @Test func `text for a person shows control characters and stays one line`() throws {
    let log = try Log(.text)
    log.logger().error("bad name", metadata: ["name": "a\n\u{1B}[31mb", "empty": ""])
    let lines = try log.lines()
    #expect(lines.count == 1)
    #expect(
      lines.first?.hasSuffix(#" 71 ERROR    bad name  empty=""  name=a\n\u{1B}[31mb"#) == true,
      "\(lines)")
  }

  @Test func `long values and many fields are cut`() throws {
    let log = try Log(.json)
    var metadata: Logger.Metadata = [:]
    for index in 0..<100 { metadata["k\(index)"] = "\(String(repeating: "ab", count: 4000))" }
    log.logger().info("big", metadata: metadata)
    let line = try #require(try log.lines().first)
    #expect(line.utf8.count < 40_000)
    #expect(try log.objects().first?.count == 6 + 32)
  }

  @Test func `an event that repeats is held back and then told once`() throws {
    let clock = TestClock()
    let log = try Log(.json, limiter: LogLimiter(perSecond: 3), clock: { clock.now })
    for _ in 0..<10 { log.logger().info("refused", metadata: ["a": "1"]) }
    log.logger().info("other")
    #expect(
      try log.objects().map { $0["event"] } == Array(repeating: "refused", count: 3) + ["other"])
    clock.advance(1000)
    log.logger().info("other")
    let told = try #require(try log.objects().first { $0["event"] == "log lines suppressed" })
    #expect(told["of"] == "refused")
    #expect(told["suppressed"] == "7")
    log.sink.flush()
    #expect(try log.lines().count == 6)
  }

  @Test func `events without end share one allowance`() {
    let limiter = LogLimiter(perSecond: 2, maxEvents: 5)
    var admitted = 0
    for index in 0..<1000 where limiter.admit("e\(index)", at: LogTime(milliseconds: 5)).0 {
      admitted += 1
    }
    #expect(admitted == 5 + 2)
    #expect(limiter.drain() == [.init(event: "(other events)", count: 993)])
  }

  @Test func `a descriptor that takes nothing loses lines, not the process`() {
    let sink = LogSink(descriptor: -1, format: .json, node: "n")
    Logger(label: "x") { sink.handler(label: $0) }.info("lost")
    #expect(sink.flush(within: .seconds(30)))
    #expect(sink.dropped == 1)
  }

  /// A pipe whose reader stalls, with room for one page.
  private final class Pipe {
    private var ends: [Int32] = [-1, -1]
    var reader: Int32 { ends[0] }
    var writer: Int32 { ends[1] }

    init() throws {
      try #require(unsafe pipe(&ends) == 0)
      // F_SETPIPE_SZ, which Glibc's module does not have.
      try #require(fcntl(writer, 1031, 4096) == 4096)
    }

    deinit { for end in ends { close(end) } }
  }

  private func events(_ text: [UInt8]) throws -> [[String: String]] {
    try text.split(separator: UInt8(ascii: "\n")).map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: String])
    }
  }

  @Test func `a reader that stalls holds nobody up, and is told what it missed`() throws {
    let pipe = try Pipe()
    let sink = LogSink(
      descriptor: pipe.writer, format: .json, node: "n", limiter: LogLimiter(perSecond: .max),
      queueBytes: 16_384)
    let logger = Logger(label: "x") { sink.handler(label: $0) }
    for index in 0..<1_000 { logger.info("line", metadata: ["n": "\(index)"]) }
    #expect(!sink.settle(within: .milliseconds(10)))
    let lost = sink.dropped
    #expect(lost > 500)
    let registry = MetricRegistry()
    sink.register(in: registry)
    let metrics = String(decoding: registry.text(), as: UTF8.self)
    #expect(metrics.contains("wedlive_log_lines_dropped_total \(lost)\n"))

    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    let end = Array("\"lost\":\"\(lost)\"".utf8)
    while text.firstRange(of: end) == nil || text.last != UInt8(ascii: "\n") {
      let count = unsafe read(pipe.reader, &buffer, buffer.count)
      try #require(count > 0)
      text += buffer[..<count]
    }
    let seen = try events(text)
    let kept = 1_000 - Int(lost)
    #expect(seen.dropLast().compactMap { $0["n"].flatMap(Int.init) } == Array(0..<kept))
    #expect(seen.last?["event"] == "log lines lost")
    #expect(seen.last?["lost"] == "\(lost)")

    logger.info("after")
    #expect(sink.settle(within: .seconds(30)))
    let count = unsafe read(pipe.reader, &buffer, buffer.count)
    #expect(try events(Array(buffer[..<count])).map { $0["event"] } == ["after"])
    #expect(sink.dropped == lost)
  }

  @Test func `lines of many threads are all there after a flush`() throws {
    let log = try Log(.json, limiter: LogLimiter(perSecond: .max))
    let logger = log.logger()
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for index in 0..<200 { logger.info("e", metadata: ["t": "\(thread)", "n": "\(index)"]) }
    }
    #expect(log.sink.flush(within: .seconds(30)))
    let objects = try log.objects()
    for thread in 0..<8 {
      let own = objects.filter { $0["t"] == "\(thread)" }
      #expect(own.compactMap { $0["n"].flatMap(Int.init) } == Array(0..<200))
    }
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
  ])
  func `times are written as RFC 3339`(milliseconds: Int64, text: String) {
    #expect(LogTime(milliseconds: milliseconds).rfc3339 == text)
  }
}

private final class TestClock: @unchecked Sendable {
  // Used from one thread at a time: the log is written synchronously by the test.
  private(set) var now = LogTime(milliseconds: 1_795_818_841_123)

  func advance(_ milliseconds: Int64) {
    now = LogTime(milliseconds: now.milliseconds + milliseconds)
  }
}
