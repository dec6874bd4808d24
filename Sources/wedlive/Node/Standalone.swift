import Viewers
import Operator
import Access
import CDN
import Cluster
import ControlAPI
import Edge
import EventLoop
import Events
import Foundation
import HTTPServer
import Ingest
import Logging
import Media
import Origin
import Recording
import Records
import ServiceLifecycle
import Store
import Synchronization
import Transcode
import TLS
import Telemetry
import UnixSignals

/// A whole node in one process: takes streams, cuts them, and plays them to browsers.
enum Standalone {
  /// Starts the node and returns when it has been stopped.
  ///
  /// - Parameters:
  ///   - reading: of its configuration, without faults.
  ///   - options: what the command asks for.
  ///   - inheritance: from the process before this one.
  /// - Throws: `StartFailure` where it can't start; nothing is left half-started then.
  static func run(
    _ reading: ConfigurationReading, options: StandaloneOptions, after inheritance: Inheritance?
  ) async throws {
    let configuration = reading.configuration
    let role: NodeRole = options.isOrigin ? .origin : .standalone
    try RoleConsistency.check(configuration, role)
    let folder = try DataFolder(configuration.data.path, lock: inheritance?.lock)
    let secret = try NodeSecret.load(configuration)
    let (logger, log) = LogSetUp.start(configuration)
    defer { log.flush() }
    RoleConsistency.warn(reading, role, logger)
    let health = NodeCluster.health(configuration)
    let (frame, listeners, certificate) = try NodeFrame.start(
      configuration, folder, health, logger, log, after: inheritance)
    let registry = frame.registry
    let succession = Succession(inheritance, frame)
    let bequest = try await succession.bequest()
    let tickets = bequest?.ticketKeys
    if let tickets { frame.use(tickets) }
    let tokens = try await NodeTokens(configuration, secret.secret, logger)
    let records = try records(folder)
    let viewers = ServerMetrics(registry)
    let whole = TrafficMeter(IngestMetrics(registry), registry)
    let census = ViewerCensus(
      frame.loops.mailboxes, registry, every: configuration.streams.censusEvery)
    let live = Mutex<StreamBoard?>(nil)
    let elderHands = Mutex<ElderHands?>(nil)
    let limit = configuration.streams.limit
    let cluster = try NodeCluster.make(
      configuration, role: role, listeners: listeners,
      registry: registry, logger: logger,
      measure: {
        var load = NodeLoad()
        load.publishers = live.withLock { $0?.nodeLiveCount } ?? 0
        load.viewers = census.count
        load.memory = Int64(ProcessMetrics.residentBytes())
        load.take(whole.traffic)
        if let hands = elderHands.withLock({ $0 }) { load.add(hands.tally.sum) }
        load.capacity = limit
        return load
      })
    let shared = cluster.map {
      ClusterRecords($0, records, metrics: registry, logger: logger)
    }
    let streams = configuration.origin.streams
    let keys = streams.encryption.map { _ in
      StreamKeys(
        store: shared?.keys ?? SQLiteStreamKeys(records), secret: secret.secret,
        longestUse: streams.longestKeyMilliseconds, logger: logger)
    }
    let events = EventBus(metrics: registry)
    let purger = try NodeCDN.purger(configuration, cluster, records, registry)
    let publication = shared.map { $0.publication(configuration, registry) }
    let recordings = try recordings(
      configuration, folder, records, NodeAddresses.web(configuration, listeners), events,
      registry, purger, publication)
    let orders = RecordingOrders(
      recordings.desk, store: shared?.orders ?? SQLiteRecordingOrders(records), logger: logger)
    let cameras = WeddingCameras(
      store: shared?.cameras ?? SQLiteCameras(records), plans: streams.plans,
      rule: configuration.cameraReturn, logger: logger)
    let pass = try NodeCluster.pass(configuration)
    let leases = cluster.map { OriginLeases($0.node, $0.pass) }
    var settings = configuration.origin
    if succession.hasElders, let dvr = settings.dvrFolder {
      // The one before this process empties goes on with its own.
      settings.dvrFolder = SegmentArchive.shared(dvr)
    }
    let origin = OriginNode(
      configuration: settings, verifier: tokens.verifier,
      hooks: try Backend.hooks(configuration.callbacks, metrics: registry), metrics: registry,
      logger: logger,
      ledger: StreamLedger(
        store: SQLiteStreamNumbers(records), logger: logger,
        remembered: configuration.streams.remembered, lastAlive: records.lastWritten),
      keys: keys, events: events,
      recordings: recordings.desk, orders: orders, cameras: cameras, health: health,
      leasing: leases?.leasing
        ?? (succession.hasElders ? .elders { elderHands.withLock { $0 } } : nil))
    live.withLock { $0 = origin.board }
    let line = try ElderLine(
      bequest?.doors ?? [], configuration, registry, isGone: succession.isGone)
    let elders = line.map { line in
      ElderStreams(
        line, configuration, registry,
        isHere: { key in
          key.camera == Claims.programCamera
            ? origin.outlet.showsProgram(of: key.wedding) : origin.outlet.shows(key)
        },
        version: { origin.outlet.nextVersion() })
    }
    if let elders {
      elderHands.withLock {
        $0 = elders.line.hands(
          hear: { await elders.hear($0) }, heard: { elders.home.progress(of: $0) })
      }
      origin.board.count(with: elders.line.tally)
      origin.outlet.setContinuation(
        { elders.home.continuing($0, isFirst: $1) }, forget: { elders.home.forget($0) })
    }
    let loops = frame.loops
    let node = RunningNode(origin: origin, frame: frame)
    let cipher = frame.cipher
    let identity = StatusCollector.Identity(
      node: configuration.node.effectiveID, region: configuration.node.region,
      version: Version.current, cipher: cipher,
      watchBase: NodeAddresses.site(configuration, listeners).map { $0 + "/watch/" } ?? "")
    let locks = WeddingLocks(
      store: shared?.locks ?? SQLiteWeddingLocks(records), logger: logger)
    let edges = EdgeViewers()
    let collector = StatusCollector(
      identity: identity, node: origin, loops: loops.mailboxes, metrics: registry,
      recordings: recordings, locks: locks, edges: edges, traffic: whole,
      elders: line?.hands())
    let originCameras = OriginCameras(
      node: origin, loops: loops.mailboxes, collector: collector,
      home: { [cluster] in await cluster?.otherHome(of: $0) })
    let ownRecordings = OriginRecordings(
      recordings, loops: loops.mailboxes, orders: orders, elders: line?.hands())
    let ownKeys = keys.map { OriginKeys(keys: $0, loops: loops.mailboxes, elders: line?.hands()) }
    // What the next process asks of this one is not for those before: it asks them itself.
    let duties = ElderDuties(
      node: origin, loops: loops.mailboxes,
      recordings: OriginRecordings(recordings, loops: loops.mailboxes, orders: orders),
      keys: keys.map { OriginKeys(keys: $0, loops: loops.mailboxes) }, cameras: originCameras)
    let choices = ViewerChoices(limit: configuration.access.rememberedChoices)
    let api = ControlAPI(
      ControlAPI.Parts(
        addresses: NodeAddresses.api(configuration, listeners, cluster), verifier: tokens.verifier,
        issuer: tokens.issuer, watchNeedsToken: configuration.access.watch == .token,
        directory: OriginStreams(
          board: origin.board, programs: origin.programs, collector: collector),
        keys: ownKeys, locks: locks,
        cameras: originCameras,
        recordings: shared?.directory(of: ownRecordings, publication) ?? ownRecordings,
        purges: purger.map { NodePurges(purger: $0) },
        keysPerClient: configuration.encryption.keysPerClient,
        plans: configuration.origin.streams.plans,
        rungs: (configuration.origin.streams.ladder?.job.rungs ?? []).map {
          LadderQuality(name: $0.name, width: $0.width, height: $0.height)
        }, choices: choices, metrics: registry,
        log: Logger(label: "api")))
    let (drainAsked, drain) = AsyncStream.makeStream(of: DrainOrder.self)
    // Before anybody can watch: what was locked stays locked.
    do throws(StoreError) {
      try await locks.load(loops.mailboxes)
    } catch {
      throw StartFailure("the locked weddings can't be read: \(error)")
    }
    do throws(StoreError) {
      try await recordings.prepare(besidesAnother: succession.hasElders)
    } catch {
      throw StartFailure("the recordings can't be read: \(error)")
    }
    // Before anybody can publish: keys of cameras that were removed stay refused.
    do throws(StoreError) {
      try await cameras.load()
    } catch {
      throw StartFailure("the cameras can't be read: \(error)")
    }
    let reconnect = configuration.streams.reconnectWindow
    // In a cluster they are elsewhere by now; a process that was replaced still has its own.
    let returning =
      cluster == nil && !succession.hasElders
      ? await origin.ledger.recent(fragment: configuration.streams.fragment, within: reconnect) : []
    let upgrades = await UnixSignalsSequence(trapping: .sigusr2)
    try await node.open(
      RunningNode.Parts(
        listeners: listeners, redirectPort: NodeAddresses.redirectPort(configuration, listeners),
        server: configuration.server,
        serverMetrics: viewers, pacing: configuration.viewerPacing,
        collector: collector,
        api: PeerCall.believing(
          pass, needsCertificate: configuration.cluster.isCertified, api.call), choices: choices,
        locks: locks,
        recordings: recordings, elders: elders,
        playback: RecordingSite(
          shelf: recordings.shelf, reader: recordings.reader,
          isLimitedByPlan: streams.ladder != nil),
        returning: (returning, .now + reconnect),
        site: OperatorSite(
          names: [
            configuration.node.advertise, configuration.node.effectiveID,
            ProcessInfo.processInfo.hostName,
          ]),
        page: page(configuration), pass: pass,
        isCertified: configuration.cluster.isCertified, edges: edges,
        peerRecordings: shared?.peerCall(ownRecordings, publication),
        nodes: cluster?.nodes,
        launch: String(UInt64.random(in: .min ... .max), radix: 36), epoch: leases?.epoch,
        drainOther: cluster?.drainOther, leaving: { if let cluster { cluster.heardLeaving($0) } },
        drain: { drain.yield(.stop) }))
    await succession.takeOver()
    // The process before this one may have locked some since they were read.
    if succession.hasElders { try? await locks.refresh() }
    let isReplaced = Atomic(false)
    let (replaced, replacing) = AsyncStream.makeStream(of: Never.self)
    logger.notice("node started", metadata: ["version": "\(Version.current)"])
    if secret.isNew { logger.notice("secret made", metadata: ["path": "\(folder.file("secret"))"]) }
    let demo = try options.demo ? Demo(configuration, listeners, tokens.issuer) : nil
    let terminal = Terminal(STDOUT_FILENO)
    let banner = Banner(
      node: configuration.node.effectiveID, listeners: listeners.described,
      publish: NodeAddresses.publish(configuration, listeners, isOrigin: options.isOrigin),
      watch: NodeAddresses.watch(configuration, listeners, isOrigin: options.isOrigin),
      status: NodeAddresses.status(listeners), cipher: cipher, certificate: certificate,
      dataPath: folder.path, demo: demo?.banner)
    terminal.write(banner.text(on: terminal))
    cluster?.tell(of: health)
    cluster?.set(.ready)
    folder.noteProcess()
    ServiceManager.ready()
    let service = NodeService(
      node: frame, grace: configuration.shutdown.drain, drainAsked: drainAsked,
      drain: { await node.drain($0) },
      handOver: {
        guard let cluster else { return }
        let patience = configuration.shutdown.handOver
        await cluster.handOver(atMost: patience) {
          await origin.noneIsLive(norEndsWithin: patience)
        }
      },
      leave: {
        await node.leave(
          spread: cluster == nil ? configuration.streams.fragment : .zero,
          atMost: cluster == nil ? configuration.shutdown.upgrade : configuration.shutdown.handOver,
          waits: cluster == nil, window: configuration.streams.window)
      })
    var others: [any Service] = [
      CertificateService(node: frame, shared: cluster?.tickets, inherited: tickets),
      UpgradeService(
        signals: upgrades, frame: frame, listeners: listeners, folder: folder,
        succession: succession,
        patience: configuration.shutdown.upgradeStart,
        release: {
          isReplaced.store(true, ordering: .relaxed)
          replacing.finish()
          await node.stopAccepting()
          // In a cluster a program is whose lease it is.
          if cluster == nil { await origin.retire() }
          await cluster?.retire()
        },
        openDoor: {
          await ElderDoor.open(
            at: frame, besides: line?.doors ?? [], configuration.server, viewers,
            status: NodeStatus.call { await collector.ownStatus() }, orders: duties.call,
            elders: elders)
        }, orders: drain),
      RecordService(
        records, folder: folder.path, of: role, health: origin.health, logger: logger),
      HeapService(), census, RecordingRunner(recordings: recordings),
      OrderService(orders: orders, events: events),
    ]
    if succession.hasElders {
      others.append(
        ElderService(
          succession: succession,
          ask: {
            elders?.drop()
            await line?.statuses()
          }
        ) {
          elders?.end()
          // What those before have left is for the node's last process: this one may have been
          // replaced meanwhile, and what the next one records is not left by anybody.
          guard !isReplaced.load(ordering: .relaxed) else { return }
          if let dvr = configuration.origin.dvrFolder { SegmentArchive.removeLeft(in: dvr) }
          await recordings.takeUp()
        })
    }
    if let cluster {
      others.append(ClusterService(cluster: cluster))
      others.append(EndService(node: cluster.node, origin: origin))
    } else {
      if let line {
        others.append(GuestService(guests: GuestCameras(node: origin, hands: line.hands())))
      }
      others.append(
        LeftEndService(origin: origin, succession: succession) {
          isReplaced.load(ordering: .relaxed)
        })
      others.append(
        SharedRecords(
          locks: locks, cameras: originCameras, interval: configuration.shutdown.upgradeReads
        ) {
          isReplaced.load(ordering: .relaxed) || succession.elders.contains { !$0.hasEnded }
        })
    }
    if let purger { others.append(PurgeService(purger: purger, events: events)) }
    if let shared {
      let users = ClusterRecords.Users(
        locks: locks, cameras: originCameras,
        orders: OrderFollowing(orders: orders, recordings: ownRecordings, board: origin.board))
      others.append(ClusterRecordsService(records: shared, users: users))
      if let publication {
        others.append(RecordingPublicationService(publication: publication, recordings: recordings))
      }
    }
    if let keySet = tokens.keySet { others.append(KeySetService(keySet)) }
    let publishers =
      demo.map { [DemoPublisher(options: $0.options, logger: logger, replaced: replaced)] } ?? []
    let outcome = await NodeFrame.outcome(
      of: NodeFrame.services(node: service, publishers: publishers, others: others, logger: logger))
    do throws(StoreError) {
      try await records.close()
    } catch {
      logger.warning("records not closed", metadata: ["error": "\(error)"])
    }
    withExtendedLifetime(folder) {}
    try outcome.get()
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
    _ web: String, _ events: EventBus, _ registry: MetricRegistry, _ purger: Purger?,
    _ publication: RecordingPublication?
  ) throws(StartFailure) -> RecordingService {
    var recordings = configuration.recordings(in: folder.file("recordings"))
    recordings.web = web
    let problem = DataFolder.make(recordings.path)
    guard problem == 0 else {
      let words = unsafe String(cString: strerror(problem))
      throw StartFailure("recording.path: \(recordings.path): can't be made: \(words)")
    }
    var store: any RecordingStore = SQLiteRecordings(records)
    var jobs: any JobStore = SQLiteJobs(records)
    if let publication {
      store = ObservedRecordings(store) { publication.note($0) }
      jobs = ObservedJobs(jobs) { publication.note($0) }
    }
    return RecordingService(
      recordings,
      RecordingService.Parts(
        store: store, jobs: jobs,
        storage: try NodeStorage.open(configuration, metrics: registry),
        remux: { job, folder, progress throws(RemuxError) in
          try await Remux.run(job, into: folder, progress: progress)
        }, purge: { recording in try await purger?.purge(recording) }, events: events,
        metrics: RecordingMetrics(registry), logger: Logger(label: "recording")))
  }

  /// The player page, the same for every wedding that can have a stream.
  private static func page(
    _ configuration: NodeConfiguration
  ) -> @Sendable (String) -> PreparedResponse? {
    let page = WatchPage(
      hlsJS: configuration.player.hlsJS, integrity: configuration.player.hlsJSIntegrity,
      prefersHLSJS: configuration.streams.dvrWindow > configuration.streams.window,
      media: NodeAddresses.cdn(configuration) ?? "")
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
}
