import GRDB
import Synchronization

extension RecordFile {
  /// Called with why nothing can be written, and with nil once something can be again.
  package typealias Watcher = @Sendable (StoreError?) -> Void

  /// What the last write came to, and the last look at the file.
  struct Health: Sendable {
    /// Why the last write failed.
    var failure: StoreError?
    /// That the file is gone; writes succeed all the same.
    var loss: StoreError?
    var watcher: Watcher?
    /// What the watcher has not been told yet.
    var news: [StoreError?] = []
    /// Somebody calls the watcher.
    var isTelling = false
    /// A check is under way; one that the disk holds up is followed by no other.
    var isChecking = false

    var fault: StoreError? { loss ?? failure }
  }

  /// Names who is told when writes begin to fail, and when they succeed again.
  package func watch(_ watcher: @escaping Watcher) {
    health.withLock { $0.watcher = watcher }
  }

  /// Writes next to nothing, to see whether anything can be written, and looks whether the file is
  /// still in its folder; the watcher hears of it.
  ///
  /// It is a whole commit, on disk when it returns: the number in the file's header that SQLite
  /// keeps for its users, and that means nothing here.
  ///
  /// - Parameter limit: after which a disk that does not answer has failed; the check is then still
  ///   under way, and tells when the disk works again.
  package func checkWriting(within limit: Duration = .seconds(5)) async {
    let isOther = health.withLock { health in
      defer { health.isChecking = true }
      return health.isChecking
    }
    guard !isOther else { return note(.stalled(limit)) }
    do throws(StoreError) {
      try await waiting(atMost: limit) { [self] () async throws(StoreError) in
        await tryWriting()
        health.withLock { $0.isChecking = false }
      }
    } catch {
      note(error)
    }
  }

  private func tryWriting() async {
    _ = try? await write { [self] database in
      // Here, on the writer's thread: a disk that stalls may hold this up too.
      see(place?.isKept == false ? place?.loss : nil)
      let version = try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0
      try database.execute(sql: "PRAGMA user_version = \(version == .max ? 0 : version + 1)")
    }
  }

  /// Notes that a write succeeded.
  func wrote() { note(nil) }

  /// Notes why a write failed.
  ///
  /// A statement that is refused for what is in the tables (a key that is there already, a run that
  /// is fenced off) says nothing about the disk.
  func failedToWrite(_ error: any Error) {
    guard let error = error as? DatabaseError, error.resultCode != .SQLITE_CONSTRAINT else {
      return
    }
    note(StoreError(error))
  }

  private func note(_ failure: StoreError?) { change { $0.failure = failure } }

  /// Notes whether the file is gone.
  private func see(_ loss: StoreError?) { change { $0.loss = loss } }

  private func change(_ body: (inout Health) -> Void) {
    health.withLock { health in
      let wasWell = health.fault == nil
      body(&health)
      if wasWell != (health.fault == nil) { health.news.append(health.fault) }
    }
    tellNews()
  }

  /// Calls the watcher, outside the lock, with all that has not been told yet.
  ///
  /// One caller at a time, who takes over what the others leave: news are heard in their order.
  private func tellNews() {
    while true {
      let next = health.withLock { health -> (failure: StoreError?, watcher: Watcher?)? in
        guard !health.isTelling, !health.news.isEmpty else { return nil }
        health.isTelling = true
        return (health.news.removeFirst(), health.watcher)
      }
      guard let next else { return }
      next.watcher?(next.failure)
      health.withLock { $0.isTelling = false }
    }
  }
}
