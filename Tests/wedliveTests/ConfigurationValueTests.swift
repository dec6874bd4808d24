import Testing

@testable import wedlive

@Suite struct `Configuration values` {
  @Test(arguments: [
    ("500ms", Duration.milliseconds(500)), ("3s", .seconds(3)), ("1.5s", .milliseconds(1_500)),
    ("5m", .seconds(300)), ("24h", .seconds(86_400)), ("7d", .seconds(604_800)), ("0", .zero),
  ])
  func `a duration is read`(text: String, duration: Duration) {
    #expect(DurationText.parse(text) == duration)
  }

  @Test(arguments: ["", "3", "s", "3 s", "-3s", "3sec", "1e3s", "..s", "99999999999999999d", "٣s"])
  func `what isn't a duration is refused`(text: String) {
    #expect(DurationText.parse(text) == nil)
  }

  @Test(arguments: ["500ms", "1500ms", "3s", "5m", "24m", "25h", "1d", "0"])
  func `a duration is written as it was read`(text: String) throws {
    #expect(DurationText.format(try #require(DurationText.parse(text))) == text)
  }

  @Test(arguments: [("0", 0), ("512", 512), ("64k", 65_536), ("2048M", 2_147_483_648)])
  func `a size is read`(text: String, bytes: Int) {
    #expect(SizeText.parse(text) == bytes)
  }

  @Test(arguments: ["", "k", "1.5m", "-1", "1t", "9999999999999g", "1 m", "9223372036854775808"])
  func `what isn't a size is refused`(text: String) {
    #expect(SizeText.parse(text) == nil)
  }

  @Test(arguments: [
    ("1935", Endpoint.port(1935)), ("off", .off), ("OFF", .off), ("0", .port(0)),
    ("127.0.0.1:80", .on(host: "127.0.0.1", port: 80)), ("[::1]:443", .on(host: "::1", port: 443)),
    ("localhost:0", .on(host: "localhost", port: 0)), (":443", .port(443)), ("*:443", .port(443)),
  ])
  func `an endpoint is read`(text: String, endpoint: Endpoint) {
    #expect(Endpoint(text) == endpoint)
  }

  @Test func `a port alone may be that of one host`() {
    #expect(Endpoint("9113", alone: "127.0.0.1") == .on(host: "127.0.0.1", port: 9113))
    #expect(Endpoint("*:9113", alone: "127.0.0.1") == .port(9113))
    #expect(Endpoint.port(9113).text(alone: "127.0.0.1") == "*:9113")
    #expect(Endpoint.port(9113).text(alone: nil) == "9113")
  }

  @Test(arguments: [
    "", "65536", "-1", "a", "a:", "::1", "::1:80", "[::1]", "[a]:1", "a b:1", "1.2.3.4:99999",
  ])
  func `what isn't an endpoint is refused`(text: String) {
    #expect(Endpoint(text) == nil)
  }

  @Test(arguments: [
    ("listen.htps", "listen.https"), ("lsiten.rtmp", "listen.rtmp"),
    ("tls.fast-cipher", "tls.fast_cipher"), ("streams.fragmnt", "streams.fragment"),
  ])
  func `the nearest key is found`(typo: String, meant: String) {
    #expect(NearestName.of(typo, among: ConfigurationTable.keys.map(\.path)) == meant)
  }

  @Test func `nothing is suggested for what is far from every name`() {
    #expect(NearestName.of("zzzzzzzz", among: ["listen", "streams"]) == nil)
  }

  @Test(arguments: [
    ("", nil), ("live.example.com", 443), ("live.example.com:8443", 8443), ("[::1]", 443),
    ("[::1]:8443", 8443),
  ])
  func `the port of HTTPS is the one that viewers are told`(https: String, port: UInt16?) {
    var section = PublicSection()
    section.https = https
    #expect(section.httpsPort == port)
  }
}
