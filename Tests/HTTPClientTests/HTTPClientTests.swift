import Foundation
import HTTPClient
import HTTPTypes
import Testing

@Suite struct `HTTP client` {
  let server: ScriptedServer

  init() throws { server = try ScriptedServer.shared.get() }

  func request(_ path: String, _ method: HTTPRequest.Method = .get) -> HTTPRequest {
    HTTPRequest(method: method, scheme: "http", authority: server.authority, path: path)
  }

  func echo(_ body: [UInt8]) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(body))
    return try #require(object as? [String: Any])
  }

  /// The error that a call ends with.
  func failure(
    of call: () async throws(HTTPClientError) -> (HTTPResponse, [UInt8])
  ) async throws -> HTTPClientError {
    do throws(HTTPClientError) {
      _ = try await call()
    } catch {
      return error
    }
    Issue.record("no error")
    throw CancellationError()
  }

  @Test func `a GET carries its fields and gives the whole response`() async throws {
    let client = try HTTPClient()
    var request = request("/echo?a=%20b")
    request.headerFields[.authorization] = "Bearer x"
    let (response, body) = try await client.send(request, deadline: .seconds(20))
    let seen = try echo(body)
    #expect(response.status == .ok)
    #expect(response.headerFields[values: try #require(HTTPField.Name("X-Two"))] == ["a", "b"])
    #expect(seen["method"] as? String == "GET")
    #expect(seen["path"] as? String == "/echo?a=%20b")
    let fields = try #require(seen["headers"] as? [[String]])
    #expect(fields.contains(["authorization", "Bearer x"]))
    #expect(fields.contains(["user-agent", "wedlive"]))
  }

  @Test func `the kernel knows its thread by name`() async throws {
    let client = try HTTPClient()
    _ = try await client.send(request("/echo"), deadline: .seconds(20))
    let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
    let names = tasks.map {
      try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)
    }
    #expect(names.contains("wedlive-http\n"))
    client.close()
  }

  @Test(arguments: [HTTPRequest.Method.put, .post])
  func `a body of files and bytes is sent as one, as it is read`(
    method: HTTPRequest.Method
  ) async throws {
    let client = try HTTPClient()
    let path = NSTemporaryDirectory() + "wedlive-http-\(UUID().uuidString)"
    let content = (0..<1_500_000).map { UInt8(97 + $0 % 25) }
    try Data(content).write(to: URL(fileURLWithPath: path))
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let body = OutgoingBody([
      .bytes(Array("<".utf8)),
      .file(descriptor: file.fileDescriptor, range: 100_000..<1_400_000, owner: file),
      .bytes(Array(">".utf8)),
    ])
    #expect(body.count == 1_300_002)
    let (_, answer) = try await client.send(
      request("/echo", method), body: body, deadline: .seconds(30), stall: .seconds(20),
      maxResponseBytes: 4_000_000)
    let seen = try echo(answer)
    #expect(seen["method"] as? String == method.rawValue)
    let whole = Array("<".utf8) + content[100_000..<1_400_000] + Array(">".utf8)
    #expect((seen["body"] as? String)?.utf8.elementsEqual(whole) == true)
    // A file that has become shorter is our fault, and no reason to try again.
    try Data(content.prefix(1_000)).write(to: URL(fileURLWithPath: path))
    let short = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    let error = try await failure { () throws(HTTPClientError) in
      try await client.send(
        request("/echo", method),
        body: OutgoingBody([
          .file(descriptor: short.fileDescriptor, range: 0..<2_000, owner: short)
        ]), deadline: .seconds(20))
    }
    #expect(error.code == .badRequest)
  }

  @Test(arguments: ["/hang", "/drip"])
  func `an exchange in which nothing moves, or next to nothing, ends before its deadline`(
    _ path: String
  ) async throws {
    let client = try HTTPClient()
    let start = ContinuousClock.now
    let error = try await failure { () throws(HTTPClientError) in
      try await client.send(
        request(path), body: .none, deadline: .seconds(25), stall: .seconds(1))
    }
    #expect(error.code == .timedOut)
    #expect(ContinuousClock.now - start < .seconds(15))
  }

  @Test func `HEAD is told the length of what is longer than any answer`() async throws {
    let client = try HTTPClient()
    let (head, body) = try await client.send(
      request("/big", .head), deadline: .seconds(20), maxResponseBytes: 10)
    #expect(head.headerFields[.contentLength] == "100000")
    #expect(body.isEmpty)
  }

  @Test(arguments: [0, 1, 70_000, 2_000_000])
  func `a POST sends its body whole, and no type of its own`(count: Int) async throws {
    let client = try HTTPClient()
    let body = (0..<count).map { UInt8(97 + $0 % 26) }
    let (_, answer) = try await client.send(
      request("/echo", .post), body: body, deadline: .seconds(30), maxResponseBytes: 4_000_000)
    let seen = try echo(answer)
    #expect(seen["method"] as? String == "POST")
    #expect((seen["body"] as? String)?.utf8.elementsEqual(body) == true)
    let names = try #require(seen["headers"] as? [[String]]).compactMap(\.first)
    #expect(names.contains("content-length"))
    #expect(!names.contains("content-type") && !names.contains("expect"))
  }

  @Test(arguments: [HTTPRequest.Method.put, .delete, .head])
  func `other methods go out as named`(method: HTTPRequest.Method) async throws {
    let client = try HTTPClient()
    let (response, body) = try await client.send(
      request("/echo", method), body: method == .put ? [1] : [], deadline: .seconds(20))
    #expect(response.status == .ok)
    if method == .head {
      #expect(body.isEmpty)
    } else {
      #expect(try echo(body)["method"] as? String == method.rawValue)
    }
  }

  @Test func `connections are kept and reused`() async throws {
    let client = try HTTPClient()
    var used: Set<Int> = []
    for _ in 0..<5 {
      let (_, body) = try await client.send(request("/echo"), deadline: .seconds(20))
      used.insert(try #require(try echo(body)["connection"] as? Int))
    }
    #expect(used.count == 1)
  }

  @Test func `a redirect is an answer, not followed`() async throws {
    let client = try HTTPClient()
    let (response, _) = try await client.send(request("/redirect"), deadline: .seconds(20))
    #expect(response.status.code == 302)
    #expect(response.headerFields[.location] == "/echo")
  }

  @Test func `an interim response leaves no field behind`() async throws {
    let client = try HTTPClient()
    let (response, body) = try await client.send(request("/early"), deadline: .seconds(20))
    #expect(response.status == .ok)
    #expect(response.headerFields[try #require(HTTPField.Name("X-Early"))] == nil)
    #expect(body == Array("late".utf8))
  }

  @Test func `a body up to the limit is returned, a longer one is an error`() async throws {
    let client = try HTTPClient()
    let (_, body) = try await client.send(
      request("/big"), deadline: .seconds(20), maxResponseBytes: 100_000)
    #expect(body.count == 100_000)
    for path in ["/big", "/endless"] {
      let error = try await failure { () async throws(HTTPClientError) in
        try await client.send(request(path), deadline: .seconds(20), maxResponseBytes: 99_999)
      }
      #expect(error.code == .tooLarge)
      #expect(error.fault == .theirs && !error.canRetry)
    }
  }

  @Test(arguments: [
    ("/hang", HTTPClientError.Code.timedOut), ("/drop", .interrupted), ("/short", .interrupted),
    ("/garbage", .brokenResponse),
  ])
  func `a server that misbehaves is told apart`(path: String, code: HTTPClientError.Code)
    async throws
  {
    let client = try HTTPClient()
    let error = try await failure { () async throws(HTTPClientError) in
      try await client.send(
        request(path), deadline: path == "/hang" ? .milliseconds(300) : .seconds(20))
    }
    #expect(error.code == code, "\(error)")
    #expect(!error.message.isEmpty)
  }

  @Test func `a head that is cut off anywhere is no response`() async throws {
    let client = try HTTPClient()
    let whole = "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 0\r\n\r\n".utf8.count
    for path in (0..<whole - 1).map({ "/cut/\($0)" }) + ["/interim"] {
      do throws(HTTPClientError) {
        let (response, _) = try await client.send(request(path), deadline: .seconds(20))
        Issue.record("\(path) is taken for \(response.status)")
      } catch {
        #expect([.interrupted, .brokenResponse].contains(error.code), "\(path): \(error)")
      }
    }
    let (response, _) = try await client.send(request("/cut/\(whole)"), deadline: .seconds(20))
    #expect(response.status == .ok)
  }

  @Test func `nobody listening is unreachable and worth a retry`() async throws {
    let client = try HTTPClient()
    let error = try await failure { () async throws(HTTPClientError) in
      try await client.send(
        HTTPRequest(method: .get, scheme: "http", authority: "127.0.0.1:1", path: "/"),
        deadline: .seconds(10))
    }
    #expect(error.code == .unreachable)
    #expect(error.fault == .network && error.canRetry)
  }

  @Test(arguments: [
    ("file", "localhost", "/etc/passwd"), ("ftp", "localhost", "/"), ("http", "", "/"),
    ("http", "user:secret@host", "/"), ("http", "host/x", "/"), ("http", "host", "/a b"),
    ("http", "host", "/a\r\nX: y"), ("http", "host", "x"), ("http", "host", "/a#b"),
    ("http", "ho\u{0}st", "/"),
  ])
  func `an address that is no plain HTTP address is refused`(
    scheme: String, authority: String, path: String
  ) async throws {
    let client = try HTTPClient()
    let error = try await failure { () async throws(HTTPClientError) in
      try await client.send(
        HTTPRequest(method: .get, scheme: scheme, authority: authority, path: path),
        deadline: .seconds(10))
    }
    #expect(error.code == .badRequest)
    #expect(!error.message.contains("secret"))
  }

  @Test func `a cancelled task ends its exchange at once`() async throws {
    let client = try HTTPClient()
    let request = request("/hang")
    let task = Task {
      try await failure { () async throws(HTTPClientError) in
        try await client.send(request, deadline: .seconds(25))
      }
    }
    try await Task.sleep(for: .milliseconds(100))
    task.cancel()
    // Had it not ended at once, the deadline would have ended it with another code.
    #expect(try await task.value.code == .cancelled)
  }

  @Test func `closing ends what is under way and refuses what comes`() async throws {
    let client = try HTTPClient()
    let request = request("/hang")
    let task = Task {
      try await failure { () async throws(HTTPClientError) in
        try await client.send(request, deadline: .seconds(25))
      }
    }
    try await Task.sleep(for: .milliseconds(100))
    client.close()
    #expect(try await task.value.code == .closed)
    let error = try await failure { () async throws(HTTPClientError) in
      try await client.send(request, deadline: .seconds(25))
    }
    #expect(error.code == .closed)
  }

  @Test func `more than the limit wait, and those that wait keep their deadline`() async throws {
    var configuration = HTTPClientConfiguration()
    configuration.maxConcurrent = 1
    configuration.maxWaiting = 2
    let client = try HTTPClient(configuration)
    let server = server
    func start(_ path: String, _ deadline: Duration) -> Task<String, Never> {
      Task {
        do throws(HTTPClientError) {
          let request = HTTPRequest(
            method: .get, scheme: "http", authority: server.authority, path: path)
          return "\(try await client.send(request, deadline: deadline).0.status.code)"
        } catch {
          return error.code.rawValue
        }
      }
    }
    let hanging = start("/hang", .seconds(600))
    // One that only waits is over at its deadline; before the other hangs it may still get through.
    var tries = 0
    while tries < 200, await start("/echo", .milliseconds(300)).value != "timedOut" { tries += 1 }
    // Five more: two wait, and three are refused at once.
    let more = (0..<5).map { _ in start("/echo", .seconds(600)) }
    var refused = 0
    var served = 0
    await withTaskGroup(of: String.self) { group in
      for task in more { group.addTask { await task.value } }
      for await word in group {
        if word == "overloaded" { refused += 1 }
        if word == "200" { served += 1 }
        if refused == 3 { hanging.cancel() }
      }
    }
    #expect(refused == 3 && served == 2)
    #expect(await hanging.value == "cancelled")
  }

  @Test func `a first exchange that hangs holds up no other with the same server`() async throws {
    let client = try HTTPClient()
    let hanging = request("/hang")
    let first = Task { try? await client.send(hanging, deadline: .seconds(60)) }
    // Time for it to have its connection; less only makes the test easier to pass.
    try await Task.sleep(for: .milliseconds(300))
    let (response, _) = try await client.send(request("/echo"), deadline: .seconds(20))
    #expect(response.status == .ok)
    first.cancel()
    #expect(await first.value == nil)
  }

  @Test func `many at once all end`() async throws {
    var configuration = HTTPClientConfiguration()
    configuration.maxConcurrent = 8
    let client = try HTTPClient(configuration)
    let request = request("/echo")
    let good = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<100 {
        group.addTask {
          let answer = try? await client.send(
            request, body: index % 2 == 0 ? [] : [1], deadline: .seconds(30))
          return answer?.0.status == .ok
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(good == 100)
  }
}
