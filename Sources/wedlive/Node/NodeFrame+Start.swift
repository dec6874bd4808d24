import EventLoop
import Logging
import Operator
import TLS
import Telemetry

extension NodeFrame {
  /// Makes what every node has: certificates, open ports, loops that don't serve yet.
  ///
  /// - Parameters:
  ///   - configuration: of the node.
  ///   - folder: where a self-signed certificate is kept, where none is named.
  ///   - health: of the node.
  ///   - logger: of the node.
  ///   - log: where that writes.
  ///   - inheritance: what the process before this one has opened.
  /// - Returns: these, and the certificate's file.
  /// - Throws: `StartFailure` naming what is wrong; nothing is left half-started then.
  static func start(
    _ configuration: NodeConfiguration, _ folder: DataFolder, _ health: Health, _ logger: Logger,
    _ log: LogSink, after inheritance: Inheritance? = nil
  ) throws(StartFailure) -> (frame: NodeFrame, listeners: NodeListeners, certificate: String) {
    let files = try certificateFiles(configuration, folder)
    let https = try source(configuration, files, protocols: ["h2", "http/1.1"])
    let rtmps = try source(configuration, files, protocols: [])
    let peers = try peers(configuration)
    let count = configuration.loops.count == 0 ? LoopGroup.cores : configuration.loops.count
    let descriptors = DescriptorLimit.raise()
    let listeners = try NodeListeners(configuration.listen, loops: count, after: inheritance)
    let registry = MetricRegistry()
    ProcessMetrics.register(in: registry, version: Version.current)
    log.register(in: registry)
    let needed = DescriptorLimit.needed(configuration, loops: count)
    if descriptors < needed {
      logger.warning(
        """
        descriptor limit below max_connections: raise LimitNOFILE (or ulimit -Hn) to what is needed, \
        or lower http.max_connections and rtmp.max_connections
        """,
        metadata: ["limit": "\(descriptors)", "needed": "\(needed)", "loops": "\(count)"])
    }
    let frame = NodeFrame(
      loops: try loopGroup(count, pinned: configuration.loops.pinned), https: https,
      rtmps: rtmps, peers: peers, registry: registry,
      health: health, logger: logger)
    return (frame, listeners, files.certificate)
  }

  /// What ciphers there are, for people.
  var cipher: String { FastCipher.status(https.current.usesFastCipher ? .auto : .off) }

  private static func loopGroup(_ count: Int, pinned: Bool) throws(StartFailure) -> LoopGroup {
    do {
      return try LoopGroup(count: count, pinned: pinned)
    } catch {
      throw StartFailure("loops: \(error)")
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

  private static func peers(
    _ configuration: NodeConfiguration
  ) throws(StartFailure) -> PeerSources? {
    guard let peers = configuration.peers else { return nil }
    do throws(TLSError) {
      let https = try TLSContextSource(peers.server())
      // Only now: where authorities are replaced while it runs, the files change one after the
      // other.
      try https.current.requireOwnAuthority(peers.server())
      return PeerSources(
        https: https,
        rtmps: try TLSContextSource(peers.server([])),
        client: try TLSContextSource(peers.client))
    } catch {
      throw StartFailure("cluster: \(error)")
    }
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
