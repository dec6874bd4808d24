package import Store

/// A node's jobs, and who wants to know that one of them has changed.
package struct ObservedJobs: JobStore {
  private let kept: any JobStore
  private let changed: @Sendable (_ id: String) -> Void

  /// - Parameters:
  ///   - kept: where they are.
  ///   - changed: told of each change that was kept; returns at once.
  package init(_ kept: any JobStore, changed: @escaping @Sendable (String) -> Void) {
    self.kept = kept
    self.changed = changed
  }

  package func put(_ job: JobRecord) async throws(StoreError) {
    try await kept.put(job)
    changed(job.id)
  }

  package func job(_ id: String) async throws(StoreError) -> JobRecord? { try await kept.job(id) }

  package func jobs() async throws(StoreError) -> [JobRecord] { try await kept.jobs() }

  package func remove(_ id: String) async throws(StoreError) {
    try await kept.remove(id)
    changed(id)
  }
}
