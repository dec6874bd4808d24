import EventLoop
import Foundation
import Logging
import ServiceLifecycle
import TLS
import UnixSignals

/// A whole node in one process: takes streams, cuts them, and plays them to browsers.
enum Standalone {
  /// Starts the node and returns when it has been stopped.
  ///
  /// - Throws: `StartFailure` where it can't start; nothing is left half-started then.
  static func run(configuration: NodeConfiguration, options: StandaloneOptions) async throws {
    let folder = try DataFolder(configuration.data.path)
    let secret = try NodeSecret.load(configuration)
    let logger = LogSetUp.start(configuration)
    let certificates = try certificateFiles(configuration, folder)
    let tls = try context(configuration, certificates)
    let loops: LoopGroup
    do {
      loops = try LoopGroup(
        count: configuration.loops.count == 0 ? LoopGroup.cores : configuration.loops.count,
        pinned: configuration.loops.pinned)
    } catch {
      throw StartFailure("loops: \(error)")
    }
    if secret.isNew { logger.notice("secret made", metadata: ["path": "\(folder.file("secret"))"]) }
    let banner = Banner(
      node: configuration.node.effectiveID, listeners: [], publish: [], watch: [],
      cipher: FastCipher.status(tls.usesFastCipher ? .auto : .off),
      certificate: certificates.certificate, dataPath: folder.path)
    let terminal = Terminal(STDOUT_FILENO)
    terminal.write(banner.text(on: terminal))
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [LoopService(loops: loops)], gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger))
    try await group.run()
    withExtendedLifetime(folder) {}
  }

  private static func certificateFiles(
    _ configuration: NodeConfiguration, _ folder: DataFolder
  ) throws(StartFailure) -> TLSCertificateFiles {
    guard let certificate = configuration.tls.certificate, let key = configuration.tls.key else {
      return try folder.selfSignedCertificate(for: configuration.node.advertise)
    }
    return TLSCertificateFiles(certificate: certificate, key: key)
  }

  private static func context(
    _ configuration: NodeConfiguration, _ files: TLSCertificateFiles
  ) throws(StartFailure) -> TLSContext {
    do throws(TLSError) {
      return try TLSContext.server(
        TLSServerConfiguration(
          certificates: [files],
          fastCipher: FastCipher.Mode(rawValue: configuration.tls.fastCipher.rawValue) ?? .auto))
    } catch {
      throw StartFailure("tls: \(error)")
    }
  }
}
