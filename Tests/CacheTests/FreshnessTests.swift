import HTTPTypes
import Testing

@testable import Cache

private let now = Answers.now
private let date = Answers.date

@Suite struct `How long a response is fresh` {
  private static let lifetimes: [([(String, String)], Int64)] = [
    ([("Cache-Control", "max-age=60")], 60),
    ([("Cache-Control", "max-age=60, s-maxage=30")], 30),
    ([("Cache-Control", "max-age=60"), ("CDN-Cache-Control", "max-age=90")], 90),
    ([("Cache-Control", "max-age=60"), ("CDN-Cache-Control", "Max-Age=90")], 60),
    ([("Cache-Control", "max-age=60"), ("Expires", "0")], 60),
    ([("Expires", date(50)), ("Date", date(-10))], 60), ([("Expires", date(50))], 50),
    ([("Expires", "0")], 0), ([("Expires", "tomorrow")], 0), ([("Expires", date(-50))], 0),
    ([("Expires", date(50)), ("Expires", date(70))], 0),
    ([("Expires", date(50)), ("CDN-Cache-Control", "no-transform")], 0),
    ([("Last-Modified", date(-1_000)), ("Date", date(0))], 100),
    ([("Last-Modified", date(-100_000_000)), ("Date", date(0))], 86_400),
    ([("Last-Modified", date(1_000)), ("Date", date(0))], 0), ([], 0),
  ]

  @Test(arguments: lifetimes)
  func `the lifetime is what is said first`(_ pairs: [(String, String)], seconds: Int64) {
    #expect(Answers.freshness(pairs).lifetime == seconds)
  }

  @Test(arguments: [(200, 100), (404, 100), (410, 100), (201, 0), (403, 0), (503, 0), (599, 0)])
  func `a guess is made for some statuses`(_ status: Int, seconds: Int64) {
    let pairs = [("Last-Modified", date(-1_000)), ("Date", date(0))]
    #expect(Answers.freshness(status, pairs).lifetime == seconds)
    #expect(
      Answers.freshness(status, pairs + [("Cache-Control", "public")]).lifetime == 100)
  }

  private static let ages: [([(String, String)], Int64, Int64)] = [
    ([("Age", "20")], 0, 20), ([("Age", "20, 90")], 0, 20), ([("Age", "20"), ("Age", "0")], 0, 20),
    ([("Age", "abc")], 0, 0), ([("Age", "-20")], 0, 0), ([("Age", "20.0")], 0, 0),
    ([("Age", "20;a=1")], 0, 20), ([("Age", "9999999999999999999999")], 0, 2_147_483_648),
    ([("Date", date(-30))], 0, 30), ([("Date", date(30))], 0, 0), ([("Age", "20")], 7, 27),
    ([("Age", "20"), ("Date", date(-30))], 0, 30),
  ]

  @Test(arguments: ages)
  func `the age counts from the making`(
    _ pairs: [(String, String)], delay: Int64, seconds: Int64
  ) {
    let freshness = Answers.freshness(pairs, delay: delay)
    #expect(freshness.age(at: now) == seconds)
    #expect(freshness.age(at: now + 5) == min(CacheDirectives.longest, seconds + 5))
    #expect(freshness.age(at: now - 5) == seconds)
  }

  @Test func `it is fresh until its lifetime is over`() {
    let freshness = Answers.freshness([("Cache-Control", "max-age=60"), ("Age", "20")])
    #expect(freshness.isFresh(at: now + 39))
    #expect(!freshness.isFresh(at: now + 40))
    let asked = Answers.freshness([("Cache-Control", "max-age=60, no-cache")])
    #expect(!asked.isFresh(at: now))
  }

  @Test func `pragma counts where nothing else is said`() {
    #expect(Answers.freshness([("Pragma", "no-cache")]).alwaysValidates)
    #expect(
      !Answers.freshness([("Pragma", "no-cache"), ("Cache-Control", "max-age=9")]).alwaysValidates)
  }

  @Test(arguments: ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=1"])
  func `nothing stale is served where that is forbidden`(_ word: String) {
    let value = "max-age=1, stale-if-error=60, stale-while-revalidate=60, \(word)"
    let freshness = Answers.freshness([("Cache-Control", value)])
    #expect(!freshness.mayStandIn(at: now + 5))
    #expect(
      Reuse(freshness, for: RequestDirectives(), rules: CacheRules(), at: now + 5) == .validate)
  }
}

@Suite struct `Reuse of what is stored` {
  private func reuse(
    _ said: String, asked: [(String, String)] = [], after seconds: Int64 = 0,
    rules: CacheRules = CacheRules()
  ) -> Reuse {
    Reuse(
      Answers.freshness([("Cache-Control", said), ("Age", "10")]),
      for: RequestDirectives(Answers.fields(asked)), rules: rules, at: now + seconds)
  }

  private static let asked: [([(String, String)], Reuse)] = [
    ([], .fresh), ([("Cache-Control", "max-age=10")], .fresh),
    ([("Cache-Control", "max-age=9")], .validate), ([("Cache-Control", "max-age=0")], .validate),
    ([("Cache-Control", "no-cache")], .validate), ([("Pragma", "no-cache")], .validate),
    ([("Pragma", "no-cache"), ("Cache-Control", "max-age=20")], .fresh),
    ([("Cache-Control", "min-fresh=50")], .fresh), ([("Cache-Control", "min-fresh=51")], .validate),
    ([("Cache-Control", "no-store")], .bypass), ([("Cache-Control", "only-if-cached")], .fresh),
    ([("Cache-Control", "only-if-cached, no-cache")], .unavailable),
  ]

  @Test(arguments: asked)
  func `what clients ask counts`(_ asked: [(String, String)], outcome: Reuse) {
    #expect(reuse("max-age=60", asked: asked) == outcome)
    var rules = CacheRules()
    rules.honoursClients = false
    #expect(reuse("max-age=60", asked: asked, rules: rules) == .fresh)
  }

  @Test(arguments: [
    ("max-age=60", "max-stale", Reuse.staleAllowed), ("max-age=60", "max-stale=10", .staleAllowed),
    ("max-age=60", "max-stale=9", .validate), ("max-age=60", "only-if-cached", .unavailable),
    ("max-age=60, must-revalidate", "max-stale", .validate),
    ("max-age=60, stale-while-revalidate=11", "", .staleWhileRevalidate),
    ("max-age=60, stale-while-revalidate=10", "", .validate),
    ("max-age=60, stale-while-revalidate=90", "max-age=5", .validate),
  ]) func `ten seconds after its time`(_ said: String, asked: String, outcome: Reuse) {
    let fields = asked.isEmpty ? [] : [("Cache-Control", asked)]
    #expect(reuse(said, asked: fields, after: 60) == outcome)
  }

  @Test func `nothing stored`() {
    let rules = CacheRules()
    let asked = RequestDirectives(Answers.fields([("Cache-Control", "only-if-cached")]))
    #expect(Reuse(nil, for: asked, rules: rules, at: now) == .unavailable)
    #expect(Reuse(nil, for: RequestDirectives(), rules: rules, at: now) == .validate)
  }

  @Test func `it stands in for an origin that can't answer`() {
    let freshness = Answers.freshness([("Cache-Control", "max-age=60, stale-if-error=30")])
    #expect(freshness.mayStandIn(at: now + 89))
    #expect(!freshness.mayStandIn(at: now + 90))
  }
}
