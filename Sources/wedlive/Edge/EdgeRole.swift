import Access
import Cluster
import Edge
import EventLoop
import Foundation
import HTTPClient
import HTTPServer
import Logging
import Ingest
import Operator
import Origin
import Relay
import ServiceLifecycle
import Synchronization
import TLS
import Telemetry
import UnixSignals
import Viewers

/// A node that viewers meet: it keeps what origins have, and asks each of them for it once.
enum EdgeRole {
  /// Starts the node and returns when it has been stopped.
  ///
  /// - Parameters:
  ///   - reading: of its configuration, without faults.
  ///   - inheritance: from the process before this one.
  /// - Throws: `StartFailure` where it can't start; nothing is left half-started then.
  static func run(_ reading: ConfigurationReading, after inheritance: Inheritance?) async throws {
    let configuration = reading.configuration.forEdge
    try RoleConsistency.check(configuration, .edge)
    let folder = try DataFolder(configuration.data.path, lock: inheritance?.lock)
    let (logger, log) = LogSetUp.start(configuration)
    defer { log.flush() }
    RoleConsistency.warn(reading, .edge, logger)
    let (frame, listeners, certificate) = try NodeFrame.start(
      configuration, folder, NodeCluster.health(configuration), logger, log,
      after: inheritance)
    let succession = Succession(inheritance, frame)
    let bequest = try await succession.bequest()
    let tickets = bequest?.ticketKeys
    if let tickets { frame.use(tickets) }
    let client: HTTPClient
    do throws(HTTPClientError) {
      client = try HTTPClient(configuration.edgeClient, metrics: frame.registry)
    } catch {
      throw StartFailure("edge.upstreams can't be asked: \(error)")
    }
    let viewers = ServerMetrics(frame.registry)
    let ingest = IngestMetrics(frame.registry)
    // Only where it is used: its lines in /metrics would stand at zero for ever.
    let tcp = configuration.rtmp.proxy == .tcp ? TCPProxyMetrics(frame.registry) : nil
    let whole = TrafficMeter(
      ingest, frame.registry, proxied: tcp.map { ($0.bytesToOrigin, $0.bytesToClient) })
    let traffic = StreamTraffic(limit: configuration.streams.counted, metrics: frame.registry)
    let census = ViewerCensus(
      frame.loops.mailboxes, frame.registry, every: configuration.streams.censusEvery)
    let elders = Mutex<ElderTally?>(nil)
    let cluster = try NodeCluster.make(
      configuration, role: .edge, listeners: listeners, registry: frame.registry, logger: logger,
      measure: {
        var load = NodeLoad()
        // Whose bytes are only handed on may also be a player: nobody looks.
        load.publishers = Int(ingest.publishers.value + (tcp?.connections.value ?? 0))
        load.viewers = census.count
        load.memory = Int64(ProcessMetrics.residentBytes())
        load.take(whole.traffic)
        // Viewers have all come to this process within a moment; publishers stay where they are.
        if let elders = elders.withLock({ $0?.sum }) {
          load.publishers += elders.rtmpConnections
          load.add(elders)
        }
        return load
      })
    let locks = try await EdgeLocks.open(cluster, folder, frame)
    var cache = configuration.edgeProxy
    cache.hearsOfPurges = cluster != nil
    cache.ownsDisk = !succession.hasElders
    let proxy = EdgeProxy(cache, client: client, logger: Logger(label: "edge"))
    let streams = try await streams(
      configuration, cluster, proxy, frame, recordings: locks?.records.finder.locator)
    let edge = RunningEdge(
      frame: frame, proxy: proxy, metrics: EdgeMetrics(frame.registry, of: proxy),
      streams: streams?.streams,
      publishers: try cluster.flatMap { cluster throws(StartFailure) in
        try publishers(configuration, cluster, streams?.streams, tcp, frame)
      })
    if let cluster, let live = streams?.streams.live {
      RelayService.observe(cluster, live)
    }
    // Whoever comes first shall not be told that there are no origins.
    await cluster?.look(configuration.redis)
    // The process before this one may know some that Redis can't tell of now.
    if let cluster, cluster.origins.isEmpty, inheritance == nil {
      frame.health.set(waiting: OriginsService.waiting)
    }
    if cluster == nil, inheritance == nil { frame.health.set(waiting: UpstreamsService.waiting) }
    let line = try ElderLine(
      bequest?.doors ?? [], configuration, frame.registry, isGone: succession.isGone)
    elders.withLock { $0 = line?.tally }
    let status = EdgeStatus(
      identity: StatusCollector.Identity(
        node: configuration.node.effectiveID, region: configuration.node.region,
        version: Version.current, cipher: frame.cipher,
        watchBase: NodeAddresses.site(configuration, listeners).map { $0 + "/watch/" } ?? ""),
      health: frame.health, loops: frame.loops.mailboxes, traffic: traffic, whole: whole,
      viewers: viewers.connections, publishers: tcp?.connections ?? ingest.connections,
      accepted: ingest.accepted, elders: line)
    let (drainAsked, drain) = AsyncStream.makeStream(of: DrainOrder.self)
    let upgrades = await UnixSignalsSequence(trapping: .sigusr2)
    try await edge.open(
      RunningEdge.Parts(
        listeners: listeners, redirectPort: NodeAddresses.redirectPort(configuration, listeners),
        server: configuration.server, serverMetrics: viewers,
        pacing: configuration.viewerPacing, traffic: traffic,
        status: status,
        site: OperatorSite(
          names: [
            configuration.node.advertise, configuration.node.effectiveID,
            ProcessInfo.processInfo.hostName,
          ]), sites: NodeAddresses.sites(configuration, listeners), nodes: cluster?.nodes,
        invalidations: cluster?.node.invalidations,
        drainOther: cluster?.drainOther, drain: { drain.yield(.stop) }))
    await succession.takeOver()
    proxy.takeDisk()
    // Each loop has its gate now.
    locks?.users.locks.tell()
    logger.notice(
      "node started",
      metadata: [
        "version": "\(Version.current)", "role": "edge",
        "upstreams": "\(configuration.edge.upstreams.joined(separator: " "))",
        "cluster": "\(cluster == nil ? "no" : "yes")",
      ])
    let terminal = Terminal(STDOUT_FILENO)
    let banner = Banner(
      node: configuration.node.effectiveID, listeners: listeners.described,
      publish: cluster == nil ? [] : NodeAddresses.publish(configuration, listeners),
      watch: NodeAddresses.watch(configuration, listeners), status: nil, cipher: frame.cipher,
      certificate: certificate, dataPath: folder.path)
    terminal.write(banner.text(on: terminal))
    let service = NodeService(
      node: frame, grace: configuration.shutdown.drain, drainAsked: drainAsked,
      drain: { await edge.drain($0) }, handOver: { await cluster?.sayLeaving() },
      leave: {
        await edge.leave(
          spread: configuration.streams.fragment, atMost: configuration.shutdown.upgrade)
      })
    cluster?.tell(of: frame.health)
    cluster?.set(.ready)
    folder.noteProcess()
    ServiceManager.ready()
    var others: [any Service] = [
      CertificateService(node: frame, shared: cluster?.tickets, inherited: tickets),
      UpgradeService(
        signals: upgrades, frame: frame, listeners: listeners, folder: folder,
        succession: succession,
        patience: configuration.shutdown.upgradeStart,
        release: {
          await edge.stopAccepting()
          await cluster?.retire()
          await proxy.releaseDisk()
        },
        openDoor: {
          await ElderDoor.open(
            at: frame, besides: line?.doors ?? [], configuration.server, viewers,
            status: NodeStatus.call { await status.ownStatus() }, orders: nil)
        }, orders: drain),
      HeapService(), census,
    ]
    if let line {
      others.append(
        ElderService(succession: succession, ask: { await line.statuses() }) { line.end() })
    }
    if let keySet = streams?.keySet { others.append(KeySetService(keySet)) }
    if let cluster {
      others.append(ClusterService(cluster: cluster))
      others.append(
        OriginsService(
          cluster: cluster, pool: proxy.upstreams, health: frame.health, registry: frame.registry,
          logger: logger))
      others.append(
        InvalidationService(
          invalidations: CacheInvalidations(
            proxy, cluster.node.invalidations, logger: Logger(label: "cache"))))
      others.append(RelayService(cluster: cluster, loops: frame.loops, live: edge.streams?.live))
    }
    if cluster == nil {
      others.append(
        UpstreamsService(
          pool: proxy.upstreams, client: client, health: frame.health,
          pause: configuration.edge.probeEvery, patience: configuration.edge.probeTimeout,
          registry: frame.registry, logger: logger))
    }
    if let locks {
      others.append(
        RecordService(
          locks.file, folder: folder.path, of: .edge, health: frame.health, logger: logger))
      others.append(ClusterRecordsService(records: locks.records, users: locks.users))
    }
    let outcome = await NodeFrame.outcome(
      of: NodeFrame.services(
        node: service, publishers: [],
        others: others, logger: logger))
    streams?.streams.live.close()
    client.close()
    await locks?.close(logger)
    withExtendedLifetime(folder) {}
    try outcome.get()
  }

  /// What the edge knows of streams; nil where it is only a cache.
  ///
  /// - Throws: `StartFailure` where it couldn't tell who may watch.
  private static func streams(
    _ configuration: NodeConfiguration, _ cluster: NodeCluster?, _ proxy: EdgeProxy,
    _ frame: NodeFrame, recordings: RecordingLocator?
  ) async throws(StartFailure) -> (streams: EdgeStreams, keySet: KeySetSource?)? {
    var shown = cluster?.pass
    if shown == nil { shown = try NodeCluster.pass(configuration) }
    guard let pass = shown else { return nil }
    let client: HTTPClient
    do throws(HTTPClientError) {
      if let shared = cluster?.client {
        client = shared
      } else {
        client = try HTTPClient(configuration.peerClient, metrics: frame.registry)
      }
    } catch {
      throw StartFailure("cluster: \(error)")
    }
    let tokens = try await NodeTokens(
      configuration, try NodeSecret.load(configuration).secret, frame.logger)
    let upstreams = proxy.configuration.upstreams
    let live = EdgeLive(
      proxy: proxy, client: client, pass: pass, name: configuration.node.effectiveID,
      locator: cluster?.locator
        ?? LiveLocator(
          find: { _ in LiveLocator.Place(upstreams, isPartial: upstreams.isEmpty) }),
      configuration: configuration.edgeLive, metrics: frame.registry, logger: Logger(label: "live"))
    return (
      EdgeStreams(
        live: live, verifier: tokens.verifier,
        needsToken: configuration.access.watch == .token,
        rememberedTokens: configuration.access.rememberedTokens,
        plans: configuration.origin.streams.plans, recordings: recordings), tokens.keySet
    )
  }

  /// What takes publishers for the cluster's origins.
  ///
  /// - Throws: `StartFailure` where the authorities to trust can't be read.
  private static func publishers(
    _ configuration: NodeConfiguration, _ cluster: NodeCluster, _ streams: EdgeStreams?,
    _ tcp: TCPProxyMetrics?, _ frame: NodeFrame
  ) throws(StartFailure) -> EdgePublishers? {
    guard let streams else { return nil }
    var tls = frame.peers?.client
    if tls == nil, configuration.cluster.tls {
      let trust = configuration.cluster.certificateAuthorities.map {
        TLSClientConfiguration.Trust.file($0)
      }
      do throws(TLSError) {
        tls = try TLSContextSource(TLSClientConfiguration(trust: trust ?? .system))
      } catch {
        throw StartFailure("cluster.ca: \(error)")
      }
    }
    switch configuration.rtmp.proxy {
    case .rtmp:
      return .relay(
        EdgeRelay(
          cluster: cluster, verifier: streams.verifier, configuration: configuration.relayBounds,
          rememberedTokens: configuration.access.rememberedTokens,
          metrics: RelayMetrics(frame.registry), ingestMetrics: IngestMetrics(frame.registry),
          tls: tls, logger: Logger(label: "relay")))
    case .tcp:
      return .tcp(
        EdgeTCPProxy(
          cluster: cluster, configuration: configuration.tcpProxyBounds,
          metrics: tcp ?? TCPProxyMetrics(frame.registry), tls: tls,
          returning: ReturningClients(memory: configuration.streams.reconnectWindow),
          logger: Logger(label: "tcp")))
    }
  }
}
