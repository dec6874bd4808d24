import Viewers
import Operator
import Access
import ControlAPI
import EventLoop
import Events
import Foundation
import HTTPServer
import Logging
import Media
import Origin
import Recording
import ServiceLifecycle
import Store
import Transcode
import TLS
import Telemetry
import UnixSignals

/// A whole node in one process: takes streams, cuts them, and plays them to browsers.
enum Standalone {
  /// Starts the node and returns when it has been stopped.
  ///
  /// - Throws: `StartFailure` where it can't start; nothing is left half-started then.
  static func run(configuration: NodeConfiguration, options: StandaloneOptions) async throws {
    let folder = try DataFolder(configuration.data.path)
    let secret = try NodeSecret.load(configuration)
    let (logger, log) = LogSetUp.start(configuration)
    defer { log.flush() }
    let files = try certificateFiles(configuration, folder)
    let https = try source(configuration, files, protocols: ["h2", "http/1.1"])
    let rtmps = try source(configuration, files, protocols: [])
    let count = configuration.loops.count == 0 ? LoopGroup.cores : configuration.loops.count
    let descriptors = DescriptorLimit.raise()
    let listeners = try NodeListeners(configuration.listen, loops: count)
    let registry = MetricRegistry()
    ProcessMetrics.register(in: registry, version: Version.current)
    log.register(in: registry)
    let tokens = try await NodeTokens(configuration, secret.secret, logger)
    let records = try records(folder)
    let streams = configuration.origin.streams
    let keys = streams.encryption.map { _ in
      StreamKeys(
        store: SQLiteStreamKeys(records), wrap: KeyWrap(secret: secret.secret),
        longestUse: streams.longestKeyMilliseconds, logger: logger)
    }
    let events = EventBus(metrics: registry)
    let recordings = try recordings(
      configuration, folder, records, NodeAddresses.api(configuration, listeners).web, events,
      registry)
    let cameras = WeddingCameras(
      store: SQLiteCameras(records), plans: streams.plans,
      rule: configuration.cameraReturn, logger: logger)
    let origin = OriginNode(
      configuration: configuration.origin, verifier: tokens.verifier,
      hooks: try Backend.hooks(configuration.callbacks, metrics: registry), metrics: registry,
      logger: logger,
      ledger: StreamLedger(
        store: SQLiteStreamNumbers(records), logger: logger,
        remembered: configuration.streams.remembered), keys: keys, events: events,
      recordings: recordings.desk, cameras: cameras)
    let loops = try loopGroup(count, pinned: configuration.loops.pinned)
    let node = RunningNode(
      origin: origin, loops: loops, https: https, rtmps: rtmps, registry: registry, logger: logger)
    let cipher = FastCipher.status(https.current.usesFastCipher ? .auto : .off)
    let identity = StatusCollector.Identity(
      node: configuration.node.effectiveID, region: configuration.node.region,
      version: Version.current, cipher: cipher,
      watchBase: NodeAddresses.site(configuration, listeners).map { $0 + "/watch/" } ?? "")
    let locks = WeddingLocks(store: SQLiteWeddingLocks(records), logger: logger)
    let collector = StatusCollector(
      identity: identity, node: origin, loops: loops.mailboxes, metrics: registry,
      recordings: recordings, locks: locks)
    let choices = ViewerChoices(limit: configuration.access.rememberedChoices)
    let api = ControlAPI(
      ControlAPI.Parts(
        addresses: NodeAddresses.api(configuration, listeners), verifier: tokens.verifier,
        issuer: tokens.issuer, watchNeedsToken: configuration.access.watch == .token,
        directory: OriginStreams(
          board: origin.board, programs: origin.programs, collector: collector),
        keys: keys.map { OriginKeys(keys: $0, loops: loops.mailboxes) }, locks: locks,
        cameras: OriginCameras(node: origin, loops: loops.mailboxes, collector: collector),
        recordings: OriginRecordings(recordings, loops: loops.mailboxes),
        keysPerClient: configuration.encryption.keysPerClient,
        plans: configuration.origin.streams.plans,
        rungs: (configuration.origin.streams.ladder?.job.rungs ?? []).map {
          LadderQuality(name: $0.name, width: $0.width, height: $0.height)
        }, choices: choices, metrics: registry,
        log: Logger(label: "api")))
    let (drainAsked, drain) = AsyncStream.makeStream(of: Void.self)
    // Before anybody can watch: what was locked stays locked.
    do throws(StoreError) {
      try await locks.load(loops.mailboxes)
    } catch {
      throw StartFailure("the locked weddings can't be read: \(error)")
    }
    do throws(StoreError) {
      try await recordings.prepare()
    } catch {
      throw StartFailure("the recordings can't be read: \(error)")
    }
    // Before anybody can publish: keys of cameras that were removed stay refused.
    do throws(StoreError) {
      try await cameras.load()
    } catch {
      throw StartFailure("the cameras can't be read: \(error)")
    }
    try await node.open(
      RunningNode.Parts(
        listeners: listeners, server: configuration.server,
        serverMetrics: ServerMetrics(registry),
        collector: collector, api: api.call, choices: choices, locks: locks,
        recordings: recordings,
        playback: RecordingSite(
          shelf: recordings.shelf, reader: recordings.reader,
          isLimitedByPlan: streams.ladder != nil),
        site: OperatorSite(
          names: [
            configuration.node.advertise, configuration.node.effectiveID,
            ProcessInfo.processInfo.hostName,
          ]),
        page: page(configuration), drain: { drain.yield() }))
    logger.notice("node started", metadata: ["version": "\(Version.current)"])
    let needed = DescriptorLimit.needed(configuration, loops: count)
    if descriptors < needed {
      logger.warning(
        """
        descriptor limit below max_connections: raise LimitNOFILE (or ulimit -Hn) to what is needed, \
        or lower limits.max_connections
        """,
        metadata: ["limit": "\(descriptors)", "needed": "\(needed)", "loops": "\(count)"])
    }
    if secret.isNew { logger.notice("secret made", metadata: ["path": "\(folder.file("secret"))"]) }
    let demo = try options.demo ? Demo(configuration, listeners, tokens.issuer) : nil
    let terminal = Terminal(STDOUT_FILENO)
    let banner = Banner(
      node: configuration.node.effectiveID, listeners: listeners.described,
      publish: NodeAddresses.publish(configuration, listeners),
      watch: NodeAddresses.watch(configuration, listeners),
      status: NodeAddresses.status(listeners), cipher: cipher, certificate: files.certificate,
      dataPath: folder.path, demo: demo?.banner)
    terminal.write(banner.text(on: terminal))
    let service = NodeService(
      node: node, grace: configuration.shutdown.drain, drainAsked: drainAsked)
    var others: [any Service] = [
      CertificateService(node: node),
      RecordService(records, folder: folder.path, health: origin.health, logger: logger),
      HeapService(), RecordingRunner(recordings: recordings),
    ]
    if let keySet = tokens.keySet { others.append(KeySetService(keySet)) }
    let publishers = demo.map { [DemoPublisher(options: $0.options, logger: logger)] } ?? []
    let outcome = await outcome(
      of: services(node: service, publishers: publishers, others: others, logger: logger))
    do throws(StoreError) {
      try await records.close()
    } catch {
      logger.warning("records not closed", metadata: ["error": "\(error)"])
    }
    withExtendedLifetime(folder) {}
    try outcome.get()
  }

  /// The services of a process, to be run until it is told to stop.
  ///
  /// They are told to stop one after the other, the last one first. The node comes before all that
  /// reads or writes files, so that no disk that hangs keeps it from closing its ports and its
  /// publishers.
  ///
  /// - Parameters:
  ///   - node: serves; the others stop when it has.
  ///   - publishers: publish to it, and stop before it does.
  ///   - others: work beside it, and are waited for only shortly.
  ///   - logger: of the group.
  /// - Returns: a group that also stops at SIGTERM and SIGINT.
  static func services(
    node: any Service, publishers: [any Service], others: [any Service], logger: Logger
  ) -> ServiceGroup {
    typealias Entry = ServiceGroupConfiguration.ServiceConfiguration
    return ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: others.map { Entry(service: HastyService($0)) }
          + [Entry(service: node, successTerminationBehavior: .gracefullyShutdownGroup)]
          + publishers.map { Entry(service: HastyService($0)) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
  }

  private static func outcome(of group: ServiceGroup) async -> Result<Void, any Error> {
    do {
      return .success(try await group.run())
    } catch {
      return .failure(error)
    }
  }

  private static func loopGroup(_ count: Int, pinned: Bool) throws(StartFailure) -> LoopGroup {
    do {
      return try LoopGroup(count: count, pinned: pinned)
    } catch {
      throw StartFailure("loops: \(error)")
    }
  }

  private static func records(_ folder: DataFolder) throws(StartFailure) -> RecordFile {
    do throws(StoreError) {
      return try RecordFile(path: folder.file("records.sqlite"))
    } catch {
      throw StartFailure("data.path: \(error)")
    }
  }

  private static func recordings(
    _ configuration: NodeConfiguration, _ folder: DataFolder, _ records: RecordFile,
    _ web: String, _ events: EventBus, _ registry: MetricRegistry
  ) throws(StartFailure) -> RecordingService {
    var recordings = configuration.recordings(in: folder.file("recordings"))
    recordings.web = web
    let problem = DataFolder.make(recordings.path)
    guard problem == 0 else {
      let words = unsafe String(cString: strerror(problem))
      throw StartFailure("recording.path: \(recordings.path): can't be made: \(words)")
    }
    return RecordingService(
      recordings,
      RecordingService.Parts(
        store: SQLiteRecordings(records), jobs: SQLiteJobs(records),
        storage: try NodeStorage.open(configuration, metrics: registry),
        remux: { job, folder, progress throws(RemuxError) in
          try await Remux.run(job, into: folder, progress: progress)
        }, events: events,
        metrics: RecordingMetrics(registry), logger: Logger(label: "recording")))
  }

  /// The player page, the same for every wedding that can have a stream.
  private static func page(
    _ configuration: NodeConfiguration
  ) -> @Sendable (String) -> PreparedResponse? {
    let page = WatchPage(
      hlsJS: configuration.player.hlsJS, integrity: configuration.player.hlsJSIntegrity,
      prefersHLSJS: configuration.streams.dvrWindow > configuration.streams.window)
    let response = PreparedResponse(
      fields: [
        ("content-type", WatchPage.contentType), ("cache-control", "no-cache"),
        ("content-security-policy", page.contentSecurityPolicy),
        ("referrer-policy", page.referrerPolicy), ("x-content-type-options", "nosniff"),
      ], body: page.bytes, gzipped: nil, allowsAnyOrigin: false)
    return { path in
      let names = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard names.count <= 2, let wedding = names.first else { return nil }
      let camera = names.count > 1 ? names[1] : Claims.mainCamera
      return StreamKey(wedding: wedding, camera: camera) == nil ? nil : response
    }
  }

  private static func certificateFiles(
    _ configuration: NodeConfiguration, _ folder: DataFolder
  ) throws(StartFailure) -> TLSCertificateFiles {
    guard let certificate = configuration.tls.certificate, let key = configuration.tls.key else {
      return try folder.selfSignedCertificate(for: configuration.node.advertise)
    }
    return TLSCertificateFiles(certificate: certificate, key: key)
  }

  private static func source(
    _ configuration: NodeConfiguration, _ files: TLSCertificateFiles, protocols: [String]
  ) throws(StartFailure) -> TLSContextSource {
    do throws(TLSError) {
      return try TLSContextSource(
        TLSServerConfiguration(
          certificates: [files], protocols: protocols,
          fastCipher: configuration.fastCipher))
    } catch {
      throw StartFailure("tls: \(error)")
    }
  }
}
