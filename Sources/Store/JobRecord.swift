/// Work that goes on after a restart: a row, not memory.
package struct JobRecord: Sendable, Equatable {
  /// What it is about, such as a recording's name: there is one job for each.
  package var id: String
  /// What is to be done next, by the name that its worker gave.
  package var step: String
  /// How often this step has failed.
  package var attempts: Int
  /// Not before this time, in milliseconds since 1970.
  package var due: Int64
  /// How far the step has come, as its worker wrote it.
  package var checkpoint: String
  /// Why the last attempt failed, for a person.
  package var failure: String?

  package init(
    id: String, step: String, attempts: Int = 0, due: Int64 = 0, checkpoint: String = "{}",
    failure: String? = nil
  ) {
    self.id = id
    self.step = step
    self.attempts = attempts
    self.due = due
    self.checkpoint = checkpoint
    self.failure = failure
  }
}

/// Keeps jobs; SQLite in standalone, Redis in a cluster.
///
/// Every implementation passes the same suite of tests.
package protocol JobStore: Sendable {
  /// Keeps a job, in place of what was kept under its name; on disk when this returns.
  ///
  /// - Throws: why nothing could be stored.
  func put(_ job: JobRecord) async throws(StoreError)

  /// Finds a job; nil where there is none of that name.
  func job(_ id: String) async throws(StoreError) -> JobRecord?

  /// All jobs, those that are due first before the others.
  func jobs() async throws(StoreError) -> [JobRecord]

  /// Forgets a job; one that isn't there is no error.
  func remove(_ id: String) async throws(StoreError)
}
