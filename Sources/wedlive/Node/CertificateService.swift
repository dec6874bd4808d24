import Logging
import ServiceLifecycle
import TLS
import UnixSignals

/// Watches the certificate's files and SIGHUP; a new one is used from the next connection on.
struct CertificateService: Service {
  /// How often the files are looked at.
  private static let interval = Duration.seconds(10)

  let node: RunningNode

  func run() async throws {
    await withTaskGroup { group in
      group.addTask { await watchFiles() }
      group.addTask { await watchSignal() }
      await group.waitForAll()
    }
  }

  private func watchFiles() async {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) } } catch
      { return }
      report([node.https.reloadIfChanged(), node.rtmps.reloadIfChanged()])
    }
  }

  private func watchSignal() async {
    let signals = await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown()
    for await _ in signals { report([node.https.reload(), node.rtmps.reload()]) }
  }

  private func report(_ outcomes: [TLSContextSource.Outcome]) {
    for outcome in outcomes {
      if case .failed(let error) = outcome {
        node.logger.error(
          "certificate not replaced", metadata: ["error": "\(error)", "in_use": "the old one"])
      }
    }
    guard outcomes.contains(.replaced) else { return }
    node.useCertificate()
    node.logger.notice("certificate replaced")
  }
}
