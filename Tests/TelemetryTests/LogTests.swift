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
      descriptor: file.fileDescriptor, format: format, node: "n1", limiter: limiter, clock: clock)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func logger() -> Logger {
    let sink = sink
    return Logger(label: "ingest") { sink.handler(label: $0) }
  }

  func lines() throws -> [String] {
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
        "level": "x",
      ])
    let object = try #require(try log.objects().first)
    #expect(
      object == [
        "ts": "2026-11-27T22:34:01.123Z", "level": "info", "event": "stream live", "node": "n1",
        "logger": "ingest", "wedding": "w\"1\n\u{1}é", "from.ip": "::1", "from.port": "9",
        "list": "[\"a\", \"b\"]", "field.level": "x",
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
      lines.first?.hasSuffix(#" ERROR    bad name  empty=""  name=a\n\u{1B}[31mb"#) == true,
      "\(lines)")
  }

  @Test func `long values and many fields are cut`() throws {
    let log = try Log(.json)
    var metadata: Logger.Metadata = [:]
    for index in 0..<100 { metadata["k\(index)"] = "\(String(repeating: "ab", count: 4000))" }
    log.logger().info("big", metadata: metadata)
    let line = try #require(try log.lines().first)
    #expect(line.utf8.count < 40_000)
    #expect(try log.objects().first?.count == 5 + 32)
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
