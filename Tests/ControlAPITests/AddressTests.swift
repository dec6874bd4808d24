import ControlAPI
import HTTPTypes
import Testing

@Suite struct `Addresses that people are told` {
  private func request(_ authority: String?) -> HTTPRequest {
    HTTPRequest(method: .get, scheme: "https", authority: authority, path: "/api/x")
  }

  private func own(_ host: String, https: UInt16? = 8443, rtmp: UInt16? = 1935) -> OwnAddresses {
    OwnAddresses(host: host, https: https, http: 8080, rtmp: rtmp, rtmps: nil)
  }

  @Test func `are of the name that the node was given, whoever asks`() {
    let known = own("edge.example").known(asked: request("10.0.0.7:9443"))
    #expect(
      known
        == KnownAddresses(web: "https://edge.example:8443", rtmp: "rtmp://edge.example:1935/live"))
    #expect(own("2001:db8::7").known(asked: request(nil)).web == "https://[2001:db8::7]:8443")
  }

  @Test(arguments: [
    ("live.example", "https://live.example", "live.example"),
    ("live.example:443", "https://live.example", "live.example"),
    ("live.example:9443", "https://live.example:9443", "live.example"),
    ("[2001:db8::7]:9443", "https://[2001:db8::7]:9443", "[2001:db8::7]"),
    ("[2001:db8::7]", "https://[2001:db8::7]", "[2001:db8::7]"),
    // Asked without TLS: viewers need it.
    ("10.0.0.7:8080", "https://10.0.0.7:8443", "10.0.0.7"),
  ])
  func `of a node without a name are those of who asks`(
    _ asked: String, _ web: String, _ host: String
  ) {
    let known = own("localhost").known(asked: request(asked))
    #expect(known == KnownAddresses(web: web, rtmp: "rtmp://\(host):1935/live"))
  }

  @Test(arguments: ["", ":443", "a/b", "a b", "a\"", "h:0", "h:70000", "h:x", "[::1", "a:b:1"])
  func `are never made of what is no host`(_ asked: String) {
    let known = own("localhost").known(asked: request(asked))
    #expect(known.web == "https://localhost:8443")
    #expect(known.rtmp == "rtmp://localhost:1935/live")
  }

  @Test func `are left to others where the node has no such port`() {
    let known = own("edge.example", https: nil, rtmp: nil).known(asked: request("live.example"))
    #expect(known == KnownAddresses())
    let other = KnownAddresses(web: "https://b", rtmp: "rtmp://b/live", rtmps: "rtmps://b/live")
    #expect(known.or(other) == other)
    #expect(
      KnownAddresses(rtmp: "rtmp://a/live").or(other)
        == KnownAddresses(web: "https://b", rtmp: "rtmp://a/live", rtmps: "rtmps://b/live"))
  }

  @Test func `come through a line of text as they were`() {
    for known in [
      KnownAddresses(),
      KnownAddresses(rtmps: "rtmps://b:1936/live"),
      KnownAddresses(web: "https://b", rtmp: "rtmp://b:1935/live", rtmps: "rtmps://b:1936/live"),
    ] { #expect(KnownAddresses(text: known.text) == known) }
    #expect(KnownAddresses(text: "javascript:x http://a ftp://b") == KnownAddresses())
  }
}
