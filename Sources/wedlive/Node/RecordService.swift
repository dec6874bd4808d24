import Cluster
import Logging
import Operator
import ServiceLifecycle
import Store

/// Tries every ten seconds whether the data folder can be written, and says so in `/readyz`: a disk
/// that fills up or stalls is known before the next wedding begins, and one that is well again too.
///
/// An edge stays ready: it serves all without its data folder, and all that is lost is its copy of
/// what Redis says.
struct RecordService: Service {
  private static let interval = Duration.seconds(10)

  private let records: RecordFile

  /// Makes the service, and has the node's health follow what is written from now on.
  ///
  /// - Parameters:
  ///   - records: in the folder.
  ///   - folder: its path.
  ///   - role: of the node.
  ///   - health: of the node.
  ///   - logger: of the node.
  init(
    _ records: RecordFile, folder: String, of role: NodeRole, health: Health, logger: Logger
  ) {
    self.records = records
    records.watch { failure in
      Self.set(failure, folder, role, health)
      guard let failure else {
        return logger.notice("data folder written again", metadata: ["path": "\(folder)"])
      }
      logger.error(
        "data folder not written", metadata: ["path": "\(folder)", "error": "\(failure)"])
    }
  }

  private static func set(
    _ failure: StoreError?, _ folder: String, _ role: NodeRole, _ health: Health
  ) {
    var isStalled = false
    if case .stalled? = failure { isStalled = true }
    let words = isStalled ? "doesn't answer" : "can't be written"
    guard role == .edge else {
      health.set(
        fault: failure.map { "The data folder \(folder) \(words)" + (isStalled ? "" : ": \($0)") })
      return
    }
    health.set(
      remark: failure.map { _ in "the data folder \(words); all goes on without it" },
      detail: failure.map { isStalled ? folder : "\($0)" }, about: .dataFolder)
  }

  func run() async throws {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      await records.checkWriting()
      do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) } } catch
      { return }
    }
  }
}
