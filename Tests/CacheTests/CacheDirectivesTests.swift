import HTTPTypes
import Testing

@testable import Cache

@Suite struct `Cache directives` {
  @Test(arguments: [
    ("max-age=60", 60), ("MAX-AGE=60", 60), ("max-age=\"60\"", 60), ("max-age=0060", 60),
    ("max-age=60, max-age=1", 60), ("x, max-age=60", 60), ("x=\"max-age=1\", max-age=60", 60),
    ("x=\"a\\\", max-age=1\", max-age=60", 60), ("max-age=60,", 60), (" ,\t,max-age=60 ", 60),
    ("max-age=99999999999999999999", 2_147_483_648),
  ]) func `seconds are read`(_ value: String, seconds: Int64) {
    #expect(CacheDirectives(Answers.fields([("Cache-Control", value)])).maxAge == seconds)
  }

  @Test(arguments: [
    "max-age=1h", "max-age=-1", "max-age=1.5", "max-age=", "max-age", "max-age='60'",
    "max-age= 60", "max-age=6 0",
  ]) func `seconds that can't be read are none`(_ value: String) {
    #expect(CacheDirectives(Answers.fields([("Cache-Control", value)])).maxAge == 0)
  }

  @Test(arguments: ["max-age =60", "x=\"max-age=60", "max age=60", "=60", "\"max-age=60\""])
  func `what is no directive is left out`(_ value: String) {
    #expect(CacheDirectives(Answers.fields([("Cache-Control", value)])).maxAge == nil)
  }

  @Test func `all fields are one list`() {
    let said = CacheDirectives(
      Answers.fields([
        ("Cache-Control", "no-store, private=\"set-cookie, x\""), ("cache-control", "public"),
        ("Cache-Control", "max-stale, min-fresh=3, stale-if-error=7, stale-while-revalidate=9"),
        ("Cache-Control", "must-revalidate, proxy-revalidate, must-understand, no-transform"),
        ("Cache-Control", "only-if-cached, immutable, no-cache, s-maxage=5"),
      ]))
    #expect(said.noStore && said.isPrivate && said.isPublic && said.noCache)
    #expect(said.mustRevalidate && said.proxyRevalidate && said.mustUnderstand)
    #expect(said.noTransform && said.onlyIfCached && said.immutable)
    #expect(said.maxStale == CacheDirectives.longest)
    #expect(said.minFresh == 3)
    #expect(said.staleIfError == 7)
    #expect(said.staleWhileRevalidate == 9)
    #expect(said.sharedMaxAge == 5)
  }

  @Test func `any cut of a list is read without a fault`() {
    let whole = "a=\"x\\\"y\", max-age=60, b=\"\\"
    for length in 0...whole.count {
      let said = CacheDirectives(
        Answers.fields([("Cache-Control", String(whole.prefix(length)))]))
      #expect([nil, 0, 6, 60].contains(said.maxAge))
    }
  }
}

@Suite struct `Structured dictionary` {
  @Test(arguments: [
    "max-age=60", "max-age=60;x=1", "a, max-age=60", "max-age=1, max-age=60",
    "a=(1 \"b\";c tok);d, max-age=60", "a=:aGVsbG8=:,\tmax-age=60", "a=?0,b=?1 , max-age=60",
    "a=1.5, *b=*t/x, max-age=60", "a=-3, max-age=60",
  ]) func `what it says is read`(_ text: String) throws {
    let read = try #require(StructuredDictionary(Array(text.utf8)))
    #expect(read.members.last { $0.key == "max-age" }?.value == .integer(60))
  }

  @Test(arguments: [
    "Max-Age=60", "max-age =60", "max-age= 60", "max-age=60,", "max-age=60 x", "=1",
    "a=\"b", "a=\"\u{7}\"", "a=:b", "a=?2", "a=(1", "a=(1\"b\")", "a=1.", "a=1.2345",
    "a=1234567890123456", "a=-", "a;B=1", "a=1;", "max-age=60, , b",
  ]) func `one byte without a place spoils it`(_ text: String) {
    #expect(StructuredDictionary(Array(text.utf8)) == nil)
  }

  @Test(arguments: ["", " "]) func `nothing is a dictionary of nothing`(_ text: String) {
    #expect(StructuredDictionary(Array(text.utf8))?.members.isEmpty == true)
  }
}
