import HTTP2
import HTTPSemantics
import RTMP
import HTTPServer
import Ingest
import Origin

/// What the configuration says, as the floors below want it.
enum ServerLimits {
  static func origin(_ configuration: NodeConfiguration) -> OriginConfiguration {
    var origin = OriginConfiguration()
    origin.streams.fragment = configuration.streams.fragment
    origin.streams.window = configuration.streams.window
    origin.streams.reconnectWindow = configuration.streams.reconnectWindow
    origin.streams.gopCacheBytes = configuration.rtmp.gopCache
    origin.maximumStreams = configuration.streams.limit
    origin.watchNeedsToken = configuration.access.watch == .token
    origin.ingest = ingest(configuration)
    return origin
  }

  static func ingest(_ configuration: NodeConfiguration) -> IngestConfiguration {
    let section = configuration.rtmp
    var ingest = IngestConfiguration()
    ingest.rtmp.sendChunkSizeBytes = section.chunkSize
    ingest.rtmp.messageBytes = section.maxMessage
    ingest.rtmp.memoryBytes = section.maxBuffered
    ingest.rtmp.acknowledgeEveryBytes = section.acknowledgeEvery
    ingest.rtmp.pingAfterMilliseconds = milliseconds(section.ping)
    ingest.rtmp.silentAfterMilliseconds =
      milliseconds(section.ping) + milliseconds(section.pingTimeout)
    ingest.commandTimeout = section.handshakeTimeout
    ingest.firstMediaTimeout = section.firstPacketTimeout
    ingest.idleTimeout = section.idleTimeout
    ingest.gopCacheBytes = section.gopCache
    ingest.playerQueueBytes = section.playerBuffer
    ingest.maximumConnections = section.maxConnections
    ingest.maximumHandshakes = configuration.tls.handshakes
    return ingest
  }

  static func http(_ configuration: NodeConfiguration) -> ServerConfiguration {
    let section = configuration.http
    var server = ServerConfiguration()
    server.strictTransportSecurity = Int(configuration.tls.hsts.components.seconds)
    server.request.fieldBytes = section.maxHeader
    server.request.fields = section.maxHeaderFields
    server.maximumConnections = section.maxConnections
    server.maximumHandshakes = configuration.tls.handshakes
    server.handshakeTimeout = configuration.tls.handshakeTimeout
    server.headerTimeout = section.headerTimeout
    server.idleTimeout = section.idleTimeout
    server.minimumBodyRate = section.minimumBodyRate
    server.minimumReadRate = section.minimumSendRate
    server.http2.concurrentStreams = section.maxStreams
    server.drainTimeout = configuration.shutdown.timeout
    return server
  }

  private static func milliseconds(_ duration: Duration) -> UInt64 {
    UInt64(max(0, duration.components.seconds)) * 1_000
      + UInt64(max(0, duration.components.attoseconds)) / 1_000_000_000_000_000
  }
}
