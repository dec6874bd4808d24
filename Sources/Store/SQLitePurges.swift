import GRDB

/// Purges that wait, in a node's own file: in their order, and over restarts.
package struct SQLitePurges: Sendable {
  private let file: RecordFile

  package init(_ file: RecordFile) { self.file = file }

  static func create(_ database: Database) throws {
    try database.create(table: "purges") { table in
      // Numbers are never used twice.
      table.autoIncrementedPrimaryKey("id")
      table.column("queued", .integer).notNull()
      table.column("wedding", .text).notNull()
      table.column("kind", .text).notNull()
      table.column("what", .text).notNull()
      table.column("soft", .boolean).notNull()
      table.column("reason", .text).notNull()
      // Why it was given up; those that wait have none.
      table.column("error", .text).indexed()
    }
    try database.create(table: "purge_counts") { table in
      table.primaryKey("id", .integer).notNull()
      table.column("sent", .integer).notNull()
      table.column("failed", .integer).notNull()
      table.column("error", .text)
      table.column("error_time", .integer)
    }
    try database.execute(sql: "INSERT INTO purge_counts (id, sent, failed) VALUES (1, 0, 0)")
  }

  /// Keeps purges, all or none.
  ///
  /// - Parameters:
  ///   - purges: behind those that are there.
  ///   - bound: how many may wait.
  /// - Returns: false where there would be more than that.
  /// - Throws: why nothing could be stored.
  package func add(_ purges: [PurgeRecord], bound: Int) async throws(StoreError) -> Bool {
    try await file.write { database in
      let waiting =
        try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM purges WHERE error IS NULL") ?? 0
      guard waiting + purges.count <= bound else { return false }
      for purge in purges {
        try database.execute(
          sql: """
            INSERT INTO purges (queued, wedding, kind, what, soft, reason)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
          arguments: [
            purge.queued, purge.wedding, purge.kind, purge.what, purge.isSoft, purge.reason,
          ])
      }
      return true
    }
  }

  /// Those that wait, in their order.
  ///
  /// - Parameters:
  ///   - ids: which of them.
  ///   - count: how many at most.
  /// - Returns: the oldest of them.
  /// - Throws: why nothing could be read.
  package func waiting(
    _ ids: ClosedRange<Int64>, atMost count: Int
  ) async throws(StoreError) -> [PurgeRecord] {
    try await file.read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT * FROM purges WHERE error IS NULL AND id BETWEEN ? AND ? ORDER BY id LIMIT ?
          """, arguments: [ids.lowerBound, ids.upperBound, count]
      ).map(Self.record)
    }
  }

  /// They are done, or are somebody else's now.
  ///
  /// - Parameters:
  ///   - ids: of those.
  ///   - areSent: whether they are counted as done.
  /// - Throws: why nothing could be stored.
  package func remove(_ ids: [Int64], areSent: Bool) async throws(StoreError) {
    try await file.write { database in
      for id in ids {
        try database.execute(
          sql: "DELETE FROM purges WHERE error IS NULL AND id = ?", arguments: [id])
        guard areSent, database.changesCount > 0 else { continue }
        try database.execute(sql: "UPDATE purge_counts SET sent = sent + 1")
      }
    }
  }

  /// They are given up.
  ///
  /// - Parameters:
  ///   - ids: of those.
  ///   - error: why.
  ///   - kept: how many that were given up are kept to be looked at.
  /// - Throws: why nothing could be stored.
  package func giveUp(
    _ ids: [Int64], _ error: String, keeping kept: Int
  ) async throws(StoreError) {
    try await file.write { database in
      for id in ids {
        try database.execute(
          sql: "UPDATE purges SET error = ? WHERE error IS NULL AND id = ?", arguments: [error, id])
        guard database.changesCount > 0 else { continue }
        try database.execute(sql: "UPDATE purge_counts SET failed = failed + 1")
      }
      try database.execute(
        sql: """
          DELETE FROM purges WHERE error IS NOT NULL AND id NOT IN
          (SELECT id FROM purges WHERE error IS NOT NULL ORDER BY id DESC LIMIT ?)
          """, arguments: [kept])
    }
  }

  /// Remembers the last failure, for people.
  package func note(_ error: String, at time: Int64) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: "UPDATE purge_counts SET error = ?, error_time = ?", arguments: [error, time])
    }
  }

  package func counts() async throws(StoreError) -> PurgeCounts {
    try await file.read { database in
      var counts = PurgeCounts()
      if let row = try Row.fetchOne(
        database, sql: "SELECT COUNT(*) AS n, MIN(queued) AS oldest FROM purges WHERE error IS NULL"
      ) {
        counts.waiting = row["n"]
        counts.oldest = row["oldest"]
      }
      if let row = try Row.fetchOne(database, sql: "SELECT * FROM purge_counts") {
        counts.sent = row["sent"]
        counts.failed = row["failed"]
        counts.error = row["error"]
        counts.errorTime = row["error_time"]
      }
      return counts
    }
  }

  /// The last ones that were given up, newest first, with why.
  package func failures(
    _ count: Int
  ) async throws(StoreError) -> [(purge: PurgeRecord, error: String)] {
    try await file.read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM purges WHERE error IS NOT NULL ORDER BY id DESC LIMIT ?",
        arguments: [count]
      ).map { (purge: Self.record($0), error: $0["error"]) }
    }
  }

  private static func record(_ row: Row) -> PurgeRecord {
    PurgeRecord(
      id: row["id"], queued: row["queued"], wedding: row["wedding"], kind: row["kind"],
      what: row["what"], isSoft: row["soft"], reason: row["reason"])
  }
}
