import Access
import HTTPSemantics
import HTTPServer
import Media
import Testing
import Telemetry
import TestSupport

@testable import Viewers

@Suite struct `Viewer gate` {
  private static let secret = Array("a secret of thirty-two bytes ....".utf8)
  private let gate: ViewerGate
  private let issuer: TokenIssuer
  private let verifier: TokenVerifier?
  private let now = LogTime.now.milliseconds / 1_000

  init() async throws {
    issuer = try await TokenIssuer(secret: Self.secret)
    let verifier = TokenVerifier(keys: try await .secret(Self.secret))
    gate = ViewerGate(tokens: VerifiedTokens(verifier))
    self.verifier = verifier
  }

  private func token(
    _ scope: Scope = .watch, wedding: String = "w", camera: String? = nil, plan: String? = nil,
    unlocked: Bool = false, expires: Int64 = 3_600
  ) throws -> String {
    try issuer.token(
      Claims(
        scope: scope, wedding: wedding, camera: camera, plan: plan, expires: now + expires,
        unlocked: unlocked), issued: now)
  }

  private func check(
    _ target: String, fields: [(String, String)] = [], _ key: StreamKey = .named("w"),
    at gate: ViewerGate? = nil
  ) throws -> ViewerGate.Verdict {
    var request = Request(limits: RequestLimits())
    try request.set(method: Array("GET".utf8).span)
    try request.set(target: Array(target.utf8).span)
    for (name, value) in fields {
      try request.add(name: Array(name.utf8).span, value: Array(value.utf8).span)
    }
    return (gate ?? self.gate).check(request, key)
  }

  private func status(_ verdict: ViewerGate.Verdict) -> Int {
    if case .refused(let response) = verdict { response.status } else { 200 }
  }

  @Test func `a public stream asks nobody`() throws {
    let verdict = try check("/hls/w/index.m3u8?token=x", at: ViewerGate(tokens: nil))
    guard case .allowed(.everybody, 0) = verdict else { return #expect(Bool(false)) }
  }

  @Test func `a token may come in the query, in a header or in a cookie`() throws {
    let token = try token()
    for (target, fields, inQuery) in [
      ("/x?token=\(token)", [], true), ("/x?a=b&token=\(token)&_HLS_msn=3", [], true),
      ("/x", [("authorization", "Bearer \(token)")], false),
      ("/x", [("cookie", "a=b; token=\(token)")], false),
    ] as [(String, [(String, String)], Bool)] {
      guard case .allowed(let audience, 0) = try check(target, fields: fields) else {
        Issue.record("\(target) was refused")
        continue
      }
      #expect(audience == .holder(token: Array(token.utf8), inQuery: inQuery))
    }
  }

  @Test func `a token says its viewer's plan, and one that there is not is none`() throws {
    let plans = Plans([
      Plans.Plan(name: "free", renditions: ["240p"]),
      Plans.Plan(name: "premium", renditions: ["240p", "720p", "source"]),
    ])
    let verifier = VerifiedTokens(try #require(verifier))
    let gate = ViewerGate(tokens: verifier, plans: plans)
    for (plan, number) in [(nil, 0), ("free", 1), ("premium", 2), ("gold", 0)] as [(String?, Int)] {
      let verdict = try check("/x?token=\(try token(plan: plan))", at: gate)
      guard case .allowed(_, let found) = verdict else { return #expect(Bool(false)) }
      #expect(found == number)
    }
  }

  @Test(arguments: [true, false])
  func `a locked wedding opens to tokens that were made for that`(needsToken: Bool) throws {
    let gate = ViewerGate(
      tokens: VerifiedTokens(try #require(verifier)), needsToken: needsToken)
    gate.locked = ["w"]
    #expect(status(try check("/x?token=\(try token(unlocked: true))", at: gate)) == 200)
    #expect(status(try check("/x?token=\(try token())", at: gate)) == 403)
    #expect(status(try check("/x", at: gate)) == 401)
    let other = try token(wedding: "v")
    #expect(status(try check("/x?token=\(other)", .named("v"), at: gate)) == 200)
    #expect(status(try check("/x", .named("v"), at: gate)) == (needsToken ? 401 : 200))
    gate.locked = []
    #expect(status(try check("/x?token=\(try token())", at: gate)) == 200)
  }

  @Test func `the query comes before the header, and the header before the cookie`() throws {
    let good = try token()
    let fields = [("authorization", "Bearer \(good)"), ("cookie", "token=\(good)")]
    #expect(status(try check("/x?token=bad", fields: fields)) == 401)
    let second = [("authorization", "Bearer bad"), ("cookie", "token=\(good)")]
    #expect(status(try check("/x", fields: second)) == 401)
  }

  @Test func `what is missing, expired or for something else is refused`() throws {
    #expect(status(try check("/x")) == 401)
    #expect(status(try check("/x?token=")) == 401)
    #expect(status(try check("/x?token=\(try token(expires: -60))")) == 401)
    #expect(status(try check("/x?token=\(try token(wedding: "v"))")) == 403)
    #expect(status(try check("/x?token=\(try token(camera: "c2"))")) == 403)
    #expect(status(try check("/x?token=\(try token(.publish))")) == 403)
    let camera = try token(camera: "c2")
    #expect(status(try check("/x?token=\(camera)", .named("w", "c2"))) == 200)
    #expect(status(try check("/x?token=\(try token())", .named("w", "c2"))) == 200)
  }
}
