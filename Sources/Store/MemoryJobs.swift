/// `JobStore` in memory: gone with the process.
package actor MemoryJobs: JobStore {
  private var records: [String: JobRecord] = [:]

  package init() {}

  package func put(_ job: JobRecord) async throws(StoreError) { records[job.id] = job }

  package func job(_ id: String) async throws(StoreError) -> JobRecord? { records[id] }

  package func jobs() async throws(StoreError) -> [JobRecord] {
    records.values.sorted { ($0.due, $0.id) < ($1.due, $1.id) }
  }

  package func remove(_ id: String) async throws(StoreError) { records[id] = nil }
}
