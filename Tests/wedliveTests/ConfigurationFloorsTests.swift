import EventLoop
import Access
import HTTP2
import HTTPServer
import Ingest
import Origin
import RTMP
import TLS
import Testing

import Viewers

@testable import wedlive

@Suite struct `Configuration of the floors below` {
  /// What a value is made of, as text.
  func parts(_ value: Any) -> [String] {
    Mirror(reflecting: value).children.flatMap { child -> [String] in
      let name = child.label ?? ""
      let inner = parts(child.value)
      return inner.isEmpty ? ["\(name)=\(child.value)"] : inner.map { "\(name).\($0)" }
    }
  }

  @Test func `the defaults are those that the floors state`() {
    var standard = NodeConfiguration()
    standard.tls.certificate = "/etc/ssl/wedlive.pem"
    var server = ServerConfiguration()
    // How a node ends is ours to say.
    server.drainTimeout = standard.shutdown.timeout
    server.drainSpread = standard.streams.fragment
    #expect(parts(standard.server) == parts(server))
    #expect(parts(standard.origin) == parts(OriginConfiguration()))
    #expect(parts(standard.ingest) == parts(IngestConfiguration()))
  }

  @Test func `browsers are not told to stay with HTTPS by a node of a self-signed certificate`() {
    var configuration = NodeConfiguration()
    #expect(configuration.server.strictTransportSecurity == 0)
    configuration.tls.certificate = "/etc/ssl/wedlive.pem"
    #expect(configuration.server.strictTransportSecurity == 63_072_000)
  }

  @Test func `what is set arrives`() throws {
    var configuration = NodeConfiguration()
    configuration.http.maxStreams = 7
    configuration.http.restAfter = .seconds(9)
    configuration.cameras.askEvery = .seconds(11)
    #expect(configuration.server.restInterval == .seconds(9))
    #expect(configuration.origin.programPause == .seconds(11))
    configuration.tls.certificate = "/etc/ssl/wedlive.pem"
    configuration.tls.hsts = .zero
    configuration.rtmp.ping = .milliseconds(1_500)
    configuration.streams.fragment = .seconds(4)
    configuration.streams.memory = 1 << 30
    configuration.access.watch = .token
    configuration.tls.fastCipher = .on
    configuration.callbacks.onPublish = "http://backend:8000/api/streams/auth/publish"
    configuration.callbacks.onFailure = .admit
    configuration.proxyProtocol.trusted = ["10.0.0.0/8"]
    configuration.pacing.premium = 8_000_000
    configuration.pacing.live = 120
    #expect(configuration.viewerPacing.planRates == [0, 0, 1_000_000])
    #expect(configuration.viewerPacing.livePercent == 120)
    #expect(configuration.server.http2.concurrentStreams == 7)
    #expect(configuration.server.strictTransportSecurity == 0)
    #expect(!configuration.server.trustedProxies.isEmpty)
    #expect(!configuration.origin.ingest.trustedProxies.isEmpty)
    #expect(configuration.origin.ingest.rtmp.pingAfterMilliseconds == 1_500)
    #expect(configuration.origin.streams.fragment == .seconds(4))
    #expect(configuration.origin.memoryBytes == 1 << 30)
    configuration.streams.afterUpgrade = .seconds(7)
    #expect(configuration.origin.streams.afterUpgrade == .seconds(7))
    #expect(configuration.origin.watchNeedsToken)
    #expect(configuration.fastCipher == .on)
    let backend = try configuration.callbacks.backend()
    #expect(backend.addresses[.publish]?.authority == "backend:8000")
    #expect(backend.addresses[.play] == nil)
    #expect(backend.admitsPublishersInDoubt)
  }
}
