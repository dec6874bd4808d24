import Access
import Foundation
import Telemetry
import Testing

@Suite struct `Backend callbacks` {
  let backend: ScriptedBackend
  let metrics = MetricRegistry()

  init() throws { backend = try ScriptedBackend.shared.get() }

  func callbacks(
    _ path: String, at other: ScriptedBackend? = nil,
    _ change: (inout BackendCallbacks.Configuration) -> Void = { _ in }
  ) throws -> BackendCallbacks {
    let backend = other ?? backend
    var configuration = BackendCallbacks.Configuration()
    for kind in BackendCall.Kind.allCases {
      configuration.addresses[kind] = try backend.address(path)
    }
    configuration.deadline = .seconds(20)
    change(&configuration)
    return try BackendCallbacks(configuration, metrics: metrics)
  }

  let call = BackendCall(
    .publish, app: "live", name: "w1", address: "192.0.2.7", flashVersion: "FMLE/3.0 (a;b)",
    tcURL: "rtmp://h/live", clientID: 7, arguments: "token=a%20b&addr=1.1.1.1&x=%26")

  @Test func `a call is the form that nginx-rtmp sends, and no argument forges a field`()
    async throws
  {
    let backend = try ScriptedBackend()
    #expect(try await callbacks("/200", at: backend).send(call) == .admitted)
    let text = try await backend.exchange("/last")
    let last = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String])
    #expect(last["type"] == "application/x-www-form-urlencoded")
    #expect(
      last["body"]
        == "app=live&flashver=FMLE%2F3.0%20%28a%3Bb%29&swfurl=&tcurl=rtmp%3A%2F%2Fh%2Flive"
        + "&pageurl=&addr=192.0.2.7&clientid=7&call=publish&name=w1&type=live&token=a%20b&x=%26")
  }

  @Test(arguments: [
    ("/200", BackendCallbacks.Answer.admitted), ("/204", .admitted),
    ("/302/other-name", .renamed("other-name")),
    ("/302/rtmp://other/live/x", .refused(Refusal(.byBackend(status: 302)))),
    ("/302/..%2Fetc", .refused(Refusal(.byBackend(status: 302)))),
    ("/302", .refused(Refusal(.byBackend(status: 302)))),
    ("/403", .refused(Refusal(.byBackend(status: 403)))),
    ("/500", .refused(Refusal(.backendSilent))), ("/503", .refused(Refusal(.backendSilent))),
  ])
  func `the status decides`(path: String, answer: BackendCallbacks.Answer) async throws {
    #expect(try await callbacks(path).send(call) == answer)
  }

  @Test func `a backend that does not answer refuses a publisher, unless told otherwise`()
    async throws
  {
    let closed = try callbacks("/hang") { $0.deadline = .milliseconds(200) }
    #expect(await closed.send(call) == .refused(Refusal(.backendSilent)))
    let open = try callbacks("/hang") {
      $0.deadline = .milliseconds(200)
      $0.admitsPublishersInDoubt = true
    }
    #expect(await open.send(call) == .admitted)
    var play = call
    play.kind = .play
    #expect(await open.send(play) == .refused(Refusal(.backendSilent)))
    let text = String(decoding: metrics.text(), as: UTF8.self)
    #expect(
      text.contains(#"wedlive_backend_calls_total{call="publish",result="timedOut"} 2"#))
  }

  @Test(arguments: ["/500", "/503", "/599"])
  func `a backend that fails admits those who are admitted in doubt`(path: String) async throws {
    let callbacks = try callbacks(path) { $0.admitsPublishersInDoubt = true }
    #expect(await callbacks.send(call) == .admitted)
    var play = call
    play.kind = .play
    #expect(await callbacks.send(play) == .refused(Refusal(.backendSilent)))
    let text = String(decoding: metrics.text(), as: UTF8.self)
    #expect(text.contains(#"wedlive_backend_calls_total{call="publish",result="failed"} 1"#))
  }

  @Test func `a redirect is refused in words that say so`() {
    #expect("\(Refusal(.byBackend(status: 302)))".contains("redirect"))
    #expect(!"\(Refusal(.byBackend(status: 403)))".contains("redirect"))
  }

  @Test func `a notice changes nothing, whatever the answer`() async throws {
    let callbacks = try callbacks("/500")
    for kind in [BackendCall.Kind.publishDone, .playDone] {
      var notice = call
      notice.kind = kind
      #expect(await callbacks.send(notice) == .admitted)
    }
  }

  @Test func `a kind without an address is admitted and goes nowhere`() async throws {
    let callbacks = try callbacks("/500") { $0.addresses = [:] }
    #expect(!callbacks.isConfigured(.publish))
    #expect(await callbacks.send(call) == .admitted)
  }

  @Test func `one that hangs does not hold up the others`() async throws {
    var configuration = BackendCallbacks.Configuration()
    configuration.addresses = [
      .publish: try backend.address("/hang"), .play: try backend.address("/200"),
    ]
    configuration.deadline = .seconds(10)
    let callbacks = try BackendCallbacks(configuration, metrics: metrics)
    let call = call
    let hanging = Task { await callbacks.send(call) }
    var play = call
    play.kind = .play
    for _ in 0..<20 { #expect(await callbacks.send(play) == .admitted) }
    hanging.cancel()
    #expect(await hanging.value == .refused(Refusal(.backendSilent)))
  }

  @Test(arguments: [BackendCall.Kind.play, .playDone, .publishDone])
  func `no number of calls of another kind that hang holds up a publisher`(
    kind: BackendCall.Kind
  ) async throws {
    let backend = try ScriptedBackend()
    let hang = try backend.address("/hang")
    let callbacks = try callbacks("/200", at: backend) {
      $0.addresses[kind] = hang
      $0.deadline = .seconds(10)
    }
    var other = call
    other.kind = kind
    // More than may be under way at once, so that some wait within the client, too.
    let hanging = (0..<100).map { _ in Task { [other] in _ = await callbacks.send(other) } }
    defer { for task in hanging { task.cancel() } }
    // As many as there are connections to one host.
    while try #require(Int(try await backend.exchange("/hanging"))) < 16 {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(await callbacks.send(call) == .admitted)
    // Not because some of the others ended first.
    let text = String(decoding: metrics.text(), as: UTF8.self)
    #expect(!text.contains(#"call="\#(kind.rawValue)""#))
  }
}

@Suite struct `Form coding` {
  @Test func `any text comes back the same`() {
    let pairs = [("a b", "ü&=%+\n\u{0}"), ("", ""), ("x", "a=b")]
    let back = FormCoding.decode(FormCoding.encode(pairs))
    #expect(back.map(\.0) == pairs.map(\.0) && back.map(\.1) == pairs.map(\.1))
  }

  @Test(arguments: [
    ("a=1+2", "a", "1 2"), ("a", "a", ""), ("=b", "", "b"), ("a=%zz", "a", "%zz"),
    ("a=%4", "a", "%4"), ("a=%", "a", "%"), ("a=%FF", "a", "\u{FFFD}"), ("a=%41%62", "a", "Ab"),
  ])
  func `hostile input decodes to something`(text: String, name: String, value: String) {
    let pairs = FormCoding.decode(Array(text.utf8))
    #expect(pairs.count == 1)
    #expect(pairs.first?.0 == name && pairs.first?.1 == value)
  }

  @Test func `pairs are bounded`() {
    let many = Array(String(repeating: "a=1&", count: 1000).utf8)
    #expect(FormCoding.decode(many).count == FormCoding.maxPairs)
    #expect(FormCoding.decode(Array("&&&".utf8)).isEmpty)
  }
}
