import GRDB

/// `JobStore` in SQLite.
package struct SQLiteJobs: JobStore {
  private let file: RecordFile

  package init(_ file: RecordFile) { self.file = file }

  package func put(_ job: JobRecord) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: """
          INSERT INTO jobs (id, step, attempts, due, checkpoint, failure)
          VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET
            step = excluded.step, attempts = excluded.attempts, due = excluded.due,
            checkpoint = excluded.checkpoint, failure = excluded.failure
          """,
        arguments: [job.id, job.step, job.attempts, job.due, job.checkpoint, job.failure])
    }
  }

  package func job(_ id: String) async throws(StoreError) -> JobRecord? {
    try await file.read { database in
      try Row.fetchOne(database, sql: "SELECT * FROM jobs WHERE id = ?", arguments: [id])
        .map(Self.record)
    }
  }

  package func jobs() async throws(StoreError) -> [JobRecord] {
    try await file.read { database in
      try Row.fetchAll(database, sql: "SELECT * FROM jobs ORDER BY due, id").map(Self.record)
    }
  }

  package func remove(_ id: String) async throws(StoreError) {
    try await file.write { database in
      try database.execute(sql: "DELETE FROM jobs WHERE id = ?", arguments: [id])
    }
  }

  private static func record(_ row: Row) -> JobRecord {
    JobRecord(
      id: row["id"], step: row["step"], attempts: row["attempts"], due: row["due"],
      checkpoint: row["checkpoint"], failure: row["failure"])
  }
}
