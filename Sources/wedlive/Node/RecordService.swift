import Operator
import Logging
import Origin
import ServiceLifecycle
import Store

/// Tries every ten seconds whether the data folder can be written, and says so in `/readyz`: a disk
/// that fills up or stalls is known before the next wedding begins, and one that is well again too.
struct RecordService: Service {
  private static let interval = Duration.seconds(10)

  private let records: RecordFile

  /// Makes the service, and has the node's health follow what is written from now on.
  init(_ records: RecordFile, folder: String, health: Health, logger: Logger) {
    self.records = records
    records.watch { failure in
      guard let failure else {
        health.set(fault: nil)
        return logger.notice("data folder written again", metadata: ["path": "\(folder)"])
      }
      if case .stalled = failure {
        health.set(fault: "The data folder \(folder) doesn't answer")
      } else {
        health.set(fault: "The data folder \(folder) can't be written: \(failure)")
      }
      logger.error(
        "data folder not written", metadata: ["path": "\(folder)", "error": "\(failure)"])
    }
  }

  func run() async throws {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      await records.checkWriting()
      do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) } } catch
      { return }
    }
  }
}
