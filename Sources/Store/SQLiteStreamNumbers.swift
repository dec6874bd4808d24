import GRDB

/// `StreamNumberStore` in SQLite.
///
/// A row's `sequence` and `discontinuity` are where the next run starts: the run's limits while it
/// runs, its exact numbers once it has ended in order.
package struct SQLiteStreamNumbers: StreamNumberStore {
  private let file: RecordFile

  package init(_ file: RecordFile) { self.file = file }

  package func begin(_ name: StreamNumbers.Name, now: Int64) async throws(StoreError)
    -> StreamNumbers
  {
    return try await file.write { database in
      let before = try Self.fetch(name, database)
      let run = StreamNumbers.begin(after: before, name: name, now: now)
      try Self.save(run, start: run.limits, database)
      return run
    }
  }

  package func extend(
    _ numbers: StreamNumbers, now: Int64
  ) async throws(StoreError) -> StreamNumbers.Position {
    try await file.write { database in
      try Self.checkEpoch(numbers, database)
      let limits = numbers.extendedLimits
      try Self.save(numbers, start: limits, updated: now, database)
      return limits
    }
  }

  package func end(_ numbers: StreamNumbers, now: Int64) async throws(StoreError) {
    try await file.write { database in
      try Self.checkEpoch(numbers, database)
      try Self.save(numbers, start: numbers.next, updated: now, database)
    }
  }

  package func numbers(_ name: StreamNumbers.Name) async throws(StoreError) -> StreamNumbers? {
    try await file.read { try Self.fetch(name, $0) }
  }

  package func recent(
    since time: Int64, atMost most: Int
  ) async throws(StoreError) -> [StreamNumbers.Name] {
    try await file.read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT wedding, camera FROM stream_numbers WHERE updated >= ? AND NOT is_over
          ORDER BY updated DESC LIMIT ?
          """,
        arguments: [time, most]
      ).map { StreamNumbers.Name(wedding: $0["wedding"], camera: $0["camera"]) }
    }
  }

  package func forget(
    before time: Int64, keeping open: Set<StreamNumbers.Name>
  ) async throws(StoreError) -> Int {
    try await file.write { database in
      let old = try Row.fetchAll(
        database, sql: "SELECT wedding, camera FROM stream_numbers WHERE updated < ?",
        arguments: [time]
      ).map { StreamNumbers.Name(wedding: $0["wedding"], camera: $0["camera"]) }
      let gone = old.filter { !open.contains($0) }
      for name in gone {
        try database.execute(
          sql: "DELETE FROM stream_numbers WHERE wedding = ? AND camera = ?",
          arguments: [name.wedding, name.camera])
      }
      return gone.count
    }
  }

  private static func checkEpoch(_ numbers: StreamNumbers, _ database: Database) throws {
    let name = numbers.name
    let epoch = try Int64.fetchOne(
      database, sql: "SELECT epoch FROM stream_numbers WHERE wedding = ? AND camera = ?",
      arguments: [name.wedding, name.camera])
    guard epoch == nil || epoch == numbers.epoch else { throw StoreError.fenced(name) }
  }

  private static func fetch(_ name: StreamNumbers.Name, _ database: Database) throws
    -> StreamNumbers?
  {
    let row = try Row.fetchOne(
      database, sql: "SELECT * FROM stream_numbers WHERE wedding = ? AND camera = ?",
      arguments: [name.wedding, name.camera])
    guard let row else { return nil }
    let start = StreamNumbers.Position(
      sequence: UInt64(bitPattern: row["sequence"]),
      discontinuity: UInt64(bitPattern: row["discontinuity"]))
    return StreamNumbers(
      name: name, next: start, limits: start, epoch: row["epoch"],
      lastPTS: row["last_pts"], updated: row["updated"], isOver: row["is_over"],
      began: row["began"])
  }

  private static func save(
    _ numbers: StreamNumbers, start: StreamNumbers.Position, updated: Int64? = nil,
    _ database: Database
  ) throws {
    try database.execute(
      sql: """
        INSERT INTO stream_numbers
          (wedding, camera, sequence, discontinuity, epoch, last_pts, updated, is_over, began)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (wedding, camera) DO UPDATE SET
          sequence = excluded.sequence, discontinuity = excluded.discontinuity,
          epoch = excluded.epoch, last_pts = excluded.last_pts,
          updated = excluded.updated, is_over = excluded.is_over, began = excluded.began
        """,
      arguments: [
        numbers.name.wedding, numbers.name.camera, Int64(bitPattern: start.sequence),
        Int64(bitPattern: start.discontinuity), numbers.epoch, numbers.lastPTS,
        updated ?? numbers.updated, numbers.isOver, numbers.began,
      ])
  }
}
