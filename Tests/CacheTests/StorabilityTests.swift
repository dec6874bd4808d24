import HTTPTypes
import Testing

@testable import Cache

@Suite struct `What may be stored` {
  private func decide(
    _ pairs: [(String, String)], status: Int = 200, method: HTTPRequest.Method = .get,
    asked: [(String, String)] = []
  ) -> Storability {
    Storability(
      Answers.request(method, asked), Answers.response(status, pairs),
      Answers.freshness(status, pairs))
  }

  @Test(arguments: [200, 203, 204, 299, 301, 302, 404, 410, 499, 500, 503, 599])
  func `any status is stored where the origin says for how long`(_ status: Int) {
    #expect(decide([("Cache-Control", "max-age=60")], status: status) == .allowed)
  }

  @Test(arguments: [
    ("no-store", Storability.Reason.noStore), ("private", .isPrivate),
    ("private=\"x\"", .isPrivate),
  ]) func `the origin may forbid it`(_ word: String, reason: Storability.Reason) {
    #expect(decide([("Cache-Control", "max-age=60, \(word)")]) == .refused(reason))
    #expect(
      decide([("CDN-Cache-Control", "max-age=60"), ("Cache-Control", word)]) == .allowed)
    #expect(
      decide([
        ("CDN-Cache-Control", word == "no-store" ? word : "private"),
        ("Cache-Control", "max-age=60"),
      ]) == .refused(reason))
  }

  @Test func `must-understand lifts no-store for a status that is known`() {
    let said = [("Cache-Control", "max-age=60, no-store, must-understand")]
    #expect(decide(said) == .allowed)
    #expect(decide(said, status: 599) == .refused(.status))
  }

  @Test func `credentials need a word of the origin`() {
    let asked = [("Authorization", "Basic x")]
    #expect(decide([("Cache-Control", "max-age=60")], asked: asked) == .refused(.authorization))
    for word in ["public", "must-revalidate", "s-maxage=5"] {
      #expect(decide([("Cache-Control", "max-age=60, \(word)")], asked: asked) == .allowed)
    }
  }

  @Test func `methods, parts and requests that forbid it`() {
    let said = [("Cache-Control", "max-age=60")]
    #expect(decide(said, method: .head) == .refused(.method))
    #expect(decide(said, method: .post) == .refused(.method))
    #expect(decide(said, status: 206) == .refused(.partial))
    #expect(decide(said, status: 304) == .refused(.status))
    #expect(decide(said, asked: [("Cache-Control", "no-store")]) == .refused(.requestNoStore))
    #expect(decide(said + [("Vary", "a, *")]) == .refused(.varyAll))
  }

  @Test func `a guess needs something to guess from`() {
    let changed = [("Last-Modified", Answers.date(-1_000)), ("Date", Answers.date(0))]
    #expect(decide([]) == .refused(.noLifetime))
    #expect(decide(changed) == .allowed)
    #expect(decide(changed, status: 201) == .refused(.noLifetime))
    #expect(decide(changed + [("Set-Cookie", "a=b")]) == .refused(.setCookie))
    #expect(decide([("Cache-Control", "max-age=9"), ("Set-Cookie", "a=b")]) == .allowed)
    #expect(decide([("ETag", "\"a\"")]) == .allowed)
  }
}

@Suite struct `Chosen by request fields` {
  @Test func `requests with the same fields share a response`() throws {
    let rule = try #require(
      VaryRule(Answers.fields([("Vary", "Accept-Language, , foo"), ("vary", "Foo")])))
    #expect(rule.names.count == 2)
    let one = rule.key(of: Answers.fields([("accept-language", "de, en"), ("x", "1")]))
    #expect(
      one == rule.key(of: Answers.fields([("Accept-Language", "de"), ("Accept-Language", "en")])))
    #expect(one == rule.key(of: Answers.fields([("Accept-Language", " de ,en ")])))
    #expect(one != rule.key(of: Answers.fields([("Accept-Language", "en, de")])))
    #expect(one != rule.key(of: Answers.fields([("Accept-Language", "de, en"), ("Foo", "")])))
    #expect(one != rule.key(of: HTTPFields()))
  }

  @Test(arguments: [["*"], ["*, *"], [", *"], ["", "*"], ["*, foo"], ["foo, *"]])
  func `a star is never matched`(_ values: [String]) {
    #expect(VaryRule(Answers.fields(values.map { ("Vary", $0) })) == nil)
  }
}

@Suite struct `Validation of what is stored` {
  private let stored = Answers.fields([
    ("ETag", "W/\"a\""), ("Last-Modified", Answers.date(-50)), ("X", "1"), ("Content-Type", "a/b"),
    ("Content-Length", "9"), ("Age", "7"), ("Y", "1"),
  ])

  @Test func `both validators are asked with`() {
    let fields = Validation.conditions(for: stored)
    #expect(fields[.ifNoneMatch] == "W/\"a\"")
    #expect(fields[.ifModifiedSince] == Answers.date(-50))
    #expect(Validation.conditions(for: Answers.fields([("Last-Modified", "x")])).isEmpty)
  }

  @Test func `a 304 with another tag is about something else`() {
    #expect(Validation.confirms(Answers.fields([("ETag", "\"a\"")]), stored))
    #expect(Validation.confirms(Answers.fields([]), stored))
    #expect(!Validation.confirms(Answers.fields([("ETag", "\"b\"")]), stored))
  }

  @Test func `what a 304 says takes the place of what was stored`() {
    let updated = Validation.updated(
      stored,
      by: Answers.fields([
        ("x", "2"), ("X", "3"), ("Content-Length", "0"), ("Content-Type", "c/d"), ("New", "1"),
        ("Connection", "hop"), ("Hop", "1"), ("Keep-Alive", "9"),
      ]))
    #expect(updated[values: HTTPField.Name("X") ?? .date] == ["2", "3"])
    #expect(updated[.contentLength] == "9")
    #expect(updated[.contentType] == "a/b")
    #expect(updated[.age] == nil)
    #expect(
      Set(updated.map(\.name.canonicalName)).isDisjoint(with: ["hop", "connection", "keep-alive"]))
    #expect(updated[HTTPField.Name("New") ?? .date] == "1")
    #expect(updated[HTTPField.Name("Y") ?? .date] == "1")
  }

  @Test func `fields of a connection end with it`() {
    let rest = Answers.fields([
      ("Connection", "close, a"), ("A", "1"), ("B", "2"), ("TE", "x"), ("Upgrade", "h2c"),
      ("Proxy-Authenticate", "x"), ("Transfer-Encoding", "chunked"),
    ]).withoutConnectionFields
    #expect(rest.map(\.name.canonicalName) == ["b"])
  }
}

@Suite struct `What a cache has done` {
  @Test(arguments: [
    (CacheOutcome.hit(ttl: 5), "HIT", "e; hit; ttl=5"),
    (.stale(ttl: -3), "STALE", "e; hit; ttl=-3; detail=stale"),
    (.miss(stored: true, collapsed: true), "HIT", "e; fwd=uri-miss; stored; collapsed"),
    (.miss(stored: false, collapsed: false), "MISS", "e; fwd=uri-miss"),
    (.revalidated(ttl: 9), "REVALIDATED", "e; fwd=stale; fwd-status=304; ttl=9; stored"),
    (.expired(stored: true, status: 200), "EXPIRED", "e; fwd=stale; fwd-status=200; stored"),
    (.bypass, "BYPASS", "e; fwd=bypass"),
  ]) func `it is told as RFC 9211 has it`(_ outcome: CacheOutcome, word: String, status: String) {
    #expect(outcome.word == word)
    #expect(outcome.status(of: "e") == status)
  }
}
