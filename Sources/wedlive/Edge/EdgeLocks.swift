import EventLoop
import Logging
import Origin
import Store

/// Which of the cluster's weddings are locked, as an edge knows it: its gates are shut for those.
struct EdgeLocks: Sendable {
  let records: ClusterRecords
  let users: ClusterRecords.Users
  /// What is in the data folder.
  let file: RecordFile

  /// Opens the edge's copy, and reads what is locked.
  ///
  /// - Returns: nil for an edge without a cluster.
  /// - Throws: `StartFailure` where neither can be read.
  static func open(
    _ cluster: NodeCluster?, _ folder: DataFolder, _ frame: NodeFrame
  ) async throws(StartFailure) -> EdgeLocks? {
    guard let cluster else { return nil }
    do throws(StoreError) {
      let file = try RecordFile(path: folder.file("records.sqlite"))
      let records = ClusterRecords(
        cluster, file, metrics: frame.registry, logger: frame.logger)
      let locks = WeddingLocks(store: records.locks, logger: frame.logger)
      try await locks.load(frame.loops.mailboxes)
      return EdgeLocks(
        records: records, users: ClusterRecords.Users(locks: locks), file: file)
    } catch {
      throw StartFailure("the locked weddings can't be read: \(error)")
    }
  }

  func close(_ logger: Logger) async {
    do throws(StoreError) {
      try await file.close()
    } catch {
      logger.warning("records not closed", metadata: ["error": "\(error)"])
    }
  }
}
