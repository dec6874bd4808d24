import Access
import ControlAPI
import EventLoop
import HTTPClient
import HTTPTypes
import Logging
import Telemetry
import Testing
import Viewers

@testable import Edge

@Suite struct `What an edge says of calls that it hands on` {
  @Test func `say whose they are, whatever the client has said of its connection`() throws {
    let node = try EdgeNode()
    let live = EdgeLive(
      proxy: node.proxy, client: try HTTPClient(), pass: PeerPass(secret: Array("s".utf8)),
      name: "edge", locator: LiveLocator(find: { _ in LiveLocator.Place([]) }),
      metrics: MetricRegistry(), logger: Logger(label: "test"))
    defer { live.close() }
    let routing = EdgeRouting.cluster(live) { _ in KnownAddresses(web: "https://edge") }
    let client = try #require(SocketAddress(host: "192.0.2.7", port: 1))
    var request = HTTPRequest(method: .get, scheme: "https", authority: "edge", path: "/api/x")
    // RFC 9110, 7.6.1: what is named here is for the edge alone.
    request.headerFields[.connection] = "close, Wedlive-Client, wedlive-proof, Wedlive-Sites"
    routing.mark(&request, from: client)
    for isShared in [true, false] {
      let asked = EdgeFields.asked(request, isShared: isShared)
      let names = ["Wedlive-Client", "Wedlive-Proof", "Wedlive-Sites"]
      for name in try names.map({ try #require(HTTPField.Name($0)) }) {
        #expect(asked[name] != nil, "\(name)")
      }
      #expect(asked[.connection] == nil)
    }
  }

  @Test(arguments: [nil, "evil.example"] as [String?])
  func `name the host by which the answer is kept, whatever else the client names`(host: String?) {
    for isShared in [true, false] {
      var request = HTTPRequest(
        method: .get, scheme: "https", authority: "Good.example:8443", path: "/x")
      request.headerFields[.connection] = "host"
      request.headerFields[.viewersHost] = host
      #expect(EdgeFields.asked(request, isShared: isShared)[.viewersHost] == "good.example:8443")
      for nobody in [nil, ""] as [String?] {
        request.authority = nobody
        #expect(EdgeFields.asked(request, isShared: isShared)[.viewersHost] == nil)
      }
    }
  }

  @Test(arguments: [
    "Forwarded", "X-Forwarded-Host", "x-forwarded-proto", "X-HTTP-Method-Override",
    "X-Original-URL",
  ])
  func `nobody has others get what is behind another name`(name: String) throws {
    let name = try #require(HTTPField.Name(name))
    let request = HTTPRequest(
      method: .get, scheme: "https", authority: "good.example", path: "/x",
      headerFields: [name: "evil.example", .expect: "100-continue", .accept: "*/*"])
    let shared = EdgeFields.asked(request, isShared: true)
    #expect(shared[name] == nil)
    #expect(shared[.accept] == "*/*")
    #expect(shared[.expect] == nil)
    // What is for one alone is as it was asked.
    #expect(EdgeFields.asked(request, isShared: false)[name] == "evil.example")
  }
}
