import Access
import EventLoop
import HTTP2
import HTTPSemantics
import HTTPServer
import Ingest
import Media
import Origin
import RTMP
import Recording
import TLS
import Transcode
import Viewers

// What the floors below are told: each in its own words.
extension NodeConfiguration {
  /// For `HTTPServer`, on every loop.
  var server: ServerConfiguration {
    var server = ServerConfiguration()
    // A browser that was told so once goes to every other server of this host over HTTPS too, which
    // nobody wants of localhost.
    server.strictTransportSecurity =
      tls.certificate == nil ? 0 : Int(tls.hsts.components.seconds)
    server.request.targetBytes = http.maxTarget
    server.request.fieldBytes = http.maxHeader
    server.request.fields = http.maxHeaderFields
    server.maximumConnections = http.maxConnections
    server.maximumHandshakes = tls.handshakes
    server.maximumHeldRequests = http.maxHeldRequests
    server.requestBodyBytesPerConnection = http.maxBody
    server.handshakeTimeout = tls.handshakeTimeout
    server.headerTimeout = http.headerTimeout
    server.bodyTimeout = http.bodyTimeout
    server.idleTimeout = http.idleTimeout
    server.restInterval = http.restAfter
    server.minimumReadRate = http.minimumReadRate
    server.minimumBodyRate = http.minimumBodyRate
    server.drainTimeout = shutdown.timeout
    // One target duration: by then every player has asked for something anyway.
    server.drainSpread = min(streams.fragment, shutdown.timeout)
    server.http2.concurrentStreams = http.maxStreams
    server.trustedProxies = NetworkList(proxyProtocol.trusted) ?? NetworkList()
    return server
  }

  /// For `Viewers`.
  var viewerPacing: ViewerPacing {
    var pace = ViewerPacing()
    // By the plans' numbers, as `origin` has them.
    pace.planRates = [0, pacing.free / 8, pacing.premium / 8]
    pace.burstBytes = pacing.burst
    pace.livePercent = pacing.live
    pace.startSeconds = Int(pacing.start.components.seconds)
    return pace
  }

  /// For `Ingest`, on every loop.
  var ingest: IngestConfiguration {
    var ingest = IngestConfiguration()
    ingest.rtmp.sendChunkSizeBytes = rtmp.chunkSize
    ingest.rtmp.messageBytes = rtmp.maxMessage
    ingest.rtmp.memoryBytes = rtmp.maxBuffered
    ingest.rtmp.unadmittedBytes = rtmp.maxUnadmitted
    ingest.rtmp.acknowledgeEveryBytes = rtmp.acknowledgeEvery
    ingest.rtmp.pingAfterMilliseconds = Self.milliseconds(rtmp.ping)
    ingest.rtmp.silentAfterMilliseconds = Self.milliseconds(rtmp.silence)
    ingest.commandTimeout = rtmp.handshakeTimeout
    ingest.firstMediaTimeout = rtmp.firstPacketTimeout
    ingest.idleTimeout = rtmp.idleTimeout
    ingest.maximumConnections = rtmp.maxConnections
    ingest.maximumHandshakes = tls.handshakes
    ingest.gopCacheBytes = rtmp.gopCache
    ingest.playerQueueBytes = rtmp.playerBuffer
    ingest.trustedProxies = NetworkList(proxyProtocol.trusted) ?? NetworkList()
    ingest.coalesce = rtmp.coalesce
    ingest.playerStallTimeout = rtmp.playerStall
    return ingest
  }

  /// For `Origin`.
  var origin: OriginConfiguration {
    var origin = OriginConfiguration()
    origin.streams.fragment = streams.fragment
    origin.streams.window = streams.window
    origin.streams.dvrWindow = streams.dvrWindow
    origin.dvrBufferBytes = streams.dvrBuffer
    origin.dvrReserveBytes = recording.reserve
    if streams.dvrWindow > streams.window { origin.dvrFolder = data.path + "/dvr" }
    origin.streams.reconnectWindow = streams.reconnectWindow
    origin.streams.relayPatience = streams.relayPatience
    origin.streams.afterEnd = streams.afterEnd
    origin.streams.afterUpgrade = streams.afterUpgrade
    origin.streams.gopCacheBytes = rtmp.gopCache
    origin.streams.encryption = keySchedule
    origin.streams.ladder = ladder
    origin.streams.plans = Plans(
      [
        Plans.Plan(name: "free", renditions: plans.free, cameras: cameras.free),
        Plans.Plan(name: "premium", renditions: plans.premium, cameras: cameras.premium),
      ], standard: plans.standard.rawValue)
    origin.ingest = ingest
    origin.maximumStreams = streams.limit
    origin.countedStreams = streams.counted
    origin.programPause = cameras.askEvery
    origin.memoryBytes = streams.memory
    origin.rememberedTokens = access.rememberedTokens
    origin.peersAreCertified = cluster.isCertified && cluster.tls
    origin.watchNeedsToken = access.watch == .token
    return origin
  }

  /// How rungs are made; nil where the source passes through alone.
  private var ladder: LadderConfiguration? {
    let rungs = qualities.named.map { name, quality in
      LadderRung(
        name: name, width: quality.width, height: quality.height, videoBitrate: quality.video,
        audioBitrate: quality.audio)
    }
    guard transcode.enabled, !rungs.isEmpty else { return nil }
    var ladder = LadderConfiguration()
    // The largest first, whatever their names: those that are smaller stand in for it.
    ladder.job = LadderJob(rungs: rungs.sorted { $0.width * $0.height > $1.width * $1.height })
    ladder.job.encoder = transcode.encoder
    ladder.job.preset = transcode.preset
    ladder.job.tune = transcode.tune
    ladder.job.threads = transcode.threads
    ladder.job.limits.memoryBytes = UInt64(transcode.memory)
    ladder.job.limits.niceness = transcode.niceness
    ladder.patience = transcode.patience
    ladder.hangTimeout = transcode.hangTimeout
    ladder.failures = transcode.failures
    ladder.pause = transcode.pause
    if transcode.onDemand { ladder.idleSeconds = UInt64(transcode.idleAfter.components.seconds) }
    return ladder
  }

  /// For a program whose camera was lost.
  var cameraReturn: CameraReturn {
    switch cameras.back {
    case .never: .never
    case .whenLive: .whenLive
    case .after(let duration): .after(milliseconds: Int64(Self.milliseconds(duration)))
    }
  }

  /// When keys change; nil where segments are not encrypted.
  private var keySchedule: KeySchedule.Configuration? {
    switch encryption.method {
    case .off: return nil
    case .auto where access.watch == .public: return nil
    case .auto, .aes128: break
    }
    var schedule = KeySchedule.Configuration()
    schedule.segmentsPerKey = encryption.fragmentsPerKey
    schedule.rotateEvery = MediaTime(
      milliseconds: encryption.rotateEvery.components.seconds * 1_000)
    return schedule
  }

  /// For `Recording`.
  ///
  /// - Parameter folder: of recordings where none is configured.
  /// - Returns: what is recorded, and where.
  func recordings(in folder: String) -> RecordingConfiguration {
    var recordings = RecordingConfiguration()
    recordings.isAutomatic = recording.enabled
    recordings.path = recording.path.isEmpty ? folder : recording.path
    recordings.qualities = recording.qualities
    recordings.maximumBytes = recording.maxSize
    recordings.bufferBytes = recording.buffer
    recordings.reserveBytes = recording.reserve
    recordings.reconnectWindow = streams.reconnectWindow
    recordings.keep = recording.keepDays > 0 ? .seconds(recording.keepDays * 86_400) : nil
    recordings.quotas = ["free": recording.quotaFree, "premium": recording.quotaPremium]
    recordings.standardPlan = plans.standard.rawValue
    recordings.jobs = recording.jobs
    return recordings
  }

  /// For `TLS`.
  var fastCipher: FastCipher.Mode {
    switch tls.fastCipher {
    case .auto: .auto
    case .on: .on
    case .off: .off
    }
  }

  private static func milliseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    return UInt64(max(0, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
  }
}

extension CallbacksSection {
  /// For `Access`: the backend.
  ///
  /// - Throws: `StartFailure` for an address that is none: a backend that is left out admits.
  func backend() throws(StartFailure) -> BackendCallbacks.Configuration {
    var backend = BackendCallbacks.Configuration()
    let texts: [(BackendCall.Kind, String?)] = [
      (.publish, onPublish), (.publishDone, onPublishDone), (.play, onPlay),
      (.playDone, onPlayDone),
    ]
    for case (let kind, let text?) in texts {
      guard let address = BackendCallbacks.Address(text) else {
        throw StartFailure("callbacks: \(text): expected an http or https address")
      }
      backend.addresses[kind] = address
    }
    backend.deadline = timeout
    backend.admitsPublishersInDoubt = onFailure == .admit
    backend.admitsPlayersInDoubt = onFailure == .admit
    return backend
  }
}
