import BlockingSupport
import Foundation
import HTTPTypes
import Testing

@testable import CDN

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Calls of a CDN` {
  private static let three = [
    CDNPurge(wedding: "w1", .path("/hls/w1/index.m3u8?x=1&y=<2>"), reason: "test"),
    CDNPurge(wedding: "w1", .prefix("/hls/w1/main/"), reason: "test"),
    CDNPurge(wedding: "w2", .tag("t2"), reason: "test"),
  ]

  private static func error(_ work: () async throws(CDNError) -> Void) async -> CDNError? {
    do throws(CDNError) {
      try await work()
    } catch {
      return error
    }
    return nil
  }

  @Test func `CloudFront gets signed paths and wildcards`() async throws {
    let cdn = try StrictCDN()
    let provider = try cdn.cloudFront()
    try await provider.send(PurgeBatch(id: "a", Self.three))
    // Once more: the same reference has the same paths.
    try await provider.send(PurgeBatch(id: "a", Self.three))
    let wanted = ["/hls/w1/index.m3u8?x=1&y=<2>", "/hls/w1/main/*", "/hls/w2/*"]
    #expect(try await cdn.done() == wanted + wanted)
    try await provider.send(
      PurgeBatch(
        id: "b", (0..<3_000).map { CDNPurge(wedding: "w", .path("/\($0)"), reason: "test") }))
    #expect(try await cdn.calls().allSatisfy { $0.status == 201 })
  }

  @Test func `a wrong secret, key or distribution is denied`() async throws {
    let cdn = try StrictCDN()
    let wrong: [(String, (inout CloudFront.Configuration) -> Void)] = [
      ("SignatureDoesNotMatch", { $0.secretKey += "x" }),
      ("SignatureDoesNotMatch", { $0.accessKey += "x" }),
      ("NoSuchDistribution", { $0.distribution += "X" }),
    ]
    for (words, change) in wrong {
      let provider = try cdn.cloudFront(change)
      let error = await Self.error { () throws(CDNError) in
        try await provider.send(PurgeBatch(id: "a", Self.three))
      }
      #expect(error?.code == .denied)
      #expect(error?.message.contains(words) == true)
    }
    #expect(try await cdn.done() == [])
  }

  @Test func `Cloudflare gets tags, files and prefixes, one kind a call`() async throws {
    let cdn = try StrictCDN()
    let provider = try cdn.cloudflare()
    for purge in Self.three { try await provider.send(PurgeBatch(id: "a", [purge])) }
    try await provider.send(PurgeBatch(id: "b", tags((1...100).map { "t\($0)" })))
    let wanted = [
      "files https://live.example/hls/w1/index.m3u8?x=1&y=<2>",
      "prefixes live.example/hls/w1/main/", "tags t2",
    ]
    #expect(try await cdn.done() == wanted + (1...100).map { "tags t\($0)" })
    #expect(Set(Self.three.map { provider.group(of: $0).name }).count == 3)
    let error = await Self.error { () throws(CDNError) in
      try await provider.send(PurgeBatch(id: "b", tags((1...101).map { "t\($0)" })))
    }
    #expect(error?.code == .refused)
    let other = try cdn.cloudflare { $0.token = "other" }
    let denied = await Self.error { () throws(CDNError) in
      try await other.send(PurgeBatch(id: "b", tags(["t"])))
    }
    #expect(denied?.code == .denied)
    #expect(denied?.message.contains("other") == false)
  }

  @Test func `Fastly gets keys, softly or not, and single addresses`() async throws {
    let cdn = try StrictCDN()
    let provider = try cdn.fastly()
    var soft = CDNPurge(wedding: "w2", .tag("t2"), isSoft: true, reason: "test")
    try await provider.send(PurgeBatch(id: "a", [soft]))
    #expect(provider.group(of: soft) != provider.group(of: Self.three[2]))
    soft.target = .path("/a/b")
    try await provider.send(PurgeBatch(id: "a", [soft]))
    try await provider.send(PurgeBatch(id: "a", [Self.three[1], Self.three[2]]))
    #expect(
      try await cdn.done() == ["soft t2", "soft live.example/a/b", "hard w1", "hard t2"])
    try await provider.send(PurgeBatch(id: "a", tags((1...256).map { "t\($0)" })))
    #expect(try await cdn.calls().allSatisfy { $0.status == 200 })
  }

  @Test func `any other cache gets a request for each`() async throws {
    let cdn = try StrictCDN()
    let provider = try cdn.generic()
    var soft = CDNPurge(wedding: "w1", .tag("a/b"), isSoft: true, reason: "test")
    try await provider.send(PurgeBatch(id: "a", [soft]))
    soft = CDNPurge(wedding: "w1", .path("/missing"), reason: "test")
    try await provider.send(PurgeBatch(id: "a", [soft]))
    try await provider.send(PurgeBatch(id: "a", [Self.three[1]]))
    try await provider.send(
      PurgeBatch(id: "a", [CDNPurge(wedding: "w1", .path("/x.ts"), reason: "test")]))
    #expect(
      try await cdn.done() == ["soft PURGE /tags/a%2Fb a/b", "BAN /hls/w1/main/", "PURGE /x.ts"])
    let none = try GenericPurge(
      .init(path: .init("PURGE", cdn.endpoint("http") + "{path}")), cdn.client)
    let error = await Self.error { () throws(CDNError) in
      try await none.send(PurgeBatch(id: "a", [Self.three[2]]))
    }
    #expect(error?.code == .refused)
  }

  @Test func `every answer that isn't a success has a meaning`() async throws {
    let cdn = try StrictCDN()
    let faults: [(StrictCDN.Fault, CDNError.Code)] = [
      (.init(status: 500), .unavailable), (.init(status: 503), .unavailable),
      (.init(status: 429), .limited), (.init(status: 400), .refused),
      (.init(status: 413), .tooLarge), (.init(status: 403), .denied),
      (.init(status: 302, headers: ["Location": "/x"]), .denied),
      (.init(status: 200, body: "<html>"), .malformed), (.init(status: 200), .malformed),
      (.init(status: 200, body: "{\"success\": false}"), .unavailable),
      (.init(hang: 0), .unavailable), (.init(hang: 3), .timedOut),
    ]
    let provider = try cdn.cloudflare { $0.deadline = .seconds(1) }
    for (fault, code) in faults {
      try await cdn.fail(fault)
      let error = await Self.error { () throws(CDNError) in
        try await provider.send(PurgeBatch(id: "a", tags(["t"])))
      }
      #expect(error?.code == code, "\(fault)")
    }
    let others: [any CDNProvider] = [try cdn.cloudFront(), try cdn.fastly()]
    for other in others {
      try await cdn.fail(.init(status: 200, body: "it works"))
      let error = await Self.error { () throws(CDNError) in
        try await other.send(PurgeBatch(id: "a", tags(["t"])))
      }
      #expect(error?.code == .malformed)
    }
    let busy = "<E><Code>TooManyInvalidationsInProgress</Code><Message>m</Message></E>"
    try await cdn.fail(.init(status: 400, body: busy))
    let cloudFront = try cdn.cloudFront()
    let error = await Self.error { () throws(CDNError) in
      try await cloudFront.send(PurgeBatch(id: "a", tags(["t"])))
    }
    #expect(error?.code == .limited)
    #expect(try await cdn.done() == [])
  }

  @Test func `how long it asks to be left alone is read in both forms`() throws {
    let now = Date(timeIntervalSince1970: 1_445_412_420)
    func read(_ text: String) throws -> Duration? {
      CDNCall.retryAfter([try #require(HTTPField.Name("Retry-After")): text], now: now)
    }
    #expect(try read("7") == .seconds(7))
    #expect(try read("Wed, 21 Oct 2015 07:28:00 GMT") == .seconds(60))
    #expect(try read("Wed, 21 Oct 2015 07:00:00 GMT") == .zero)
    #expect(try read("99999999999") == .seconds(3_600))
    #expect(try read("-1") == nil)
    #expect(try read("soon") == nil)
  }

  @Test func `what no CDN should be asked is no purge`() {
    for target in [
      .path("x"), .path("/a b"), .path("/a*"), .path("/\u{e9}"), .path("/a\r\nX: y"), .prefix(""),
      .prefix("/a?b"), .tag(""), .tag("a b"), .tag("a,b"), .path("/{tag}"), .path("/a#b"),
      .path("/" + String(repeating: "a", count: 2_048)), .tag(String(repeating: "a", count: 1_025)),
    ] as [CDNPurge.Target] {
      #expect(!CDNPurge(wedding: "w", target, reason: "test").isValid)
    }
    #expect(!CDNPurge(wedding: "a/b", .tag("t"), reason: "test").isValid)
    for purge in Self.three { #expect(purge.isValid) }
  }

  @Test func `what can't be sent is said at once`() throws {
    let cdn = try StrictCDN()
    #expect(throws: CDNError.self) { try cdn.cloudFront { $0.distribution = "../x" } }
    #expect(throws: CDNError.self) { try cdn.cloudFront { $0.endpoint = "cloudfront" } }
    #expect(throws: CDNError.self) { try cdn.cloudflare { $0.token = "a\r\nb" } }
    #expect(throws: CDNError.self) { try cdn.fastly { $0.service = "" } }
    #expect(throws: CDNError.self) { try GenericPurge(.init(), cdn.client) }
    #expect(throws: CDNError.self) {
      try GenericPurge(.init(tag: .init("PU RGE", "http://x/{tag}")), cdn.client)
    }
  }
}
