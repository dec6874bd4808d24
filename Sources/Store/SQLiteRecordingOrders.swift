import GRDB

/// `RecordingOrderStore` in SQLite, by itself or as a copy of what a cluster keeps.
package struct SQLiteRecordingOrders: RecordingOrderStore {
  /// An order as it is kept.
  package struct Kept: Sendable, Equatable {
    package let isRecorded: Bool
    /// In which life of the cluster's data it was found there; nil where that isn't told yet.
    package let era: String?
  }

  private let file: RecordFile

  package init(_ file: RecordFile) { self.file = file }

  static func create(_ database: Database) throws {
    try database.create(table: "recording_orders") { table in
      table.column("wedding", .text).notNull()
      table.column("camera", .text).notNull()
      table.column("is_recorded", .boolean).notNull()
      table.column("until", .integer).notNull().indexed()
      table.column("era", .text)
      table.primaryKey(["wedding", "camera"])
    }
  }

  package func order(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) {
    try await keep(isRecorded, of: stream, era: nil, now: now)
  }

  /// Keeps an order that the cluster has, or that it isn't told yet (`era`: nil).
  package func keep(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, era: String?, now: Int64
  ) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: "DELETE FROM recording_orders WHERE until <= ?", arguments: [now])
      try database.execute(
        sql: """
          INSERT OR REPLACE INTO recording_orders (wedding, camera, is_recorded, until, era)
          VALUES (?, ?, ?, ?, ?)
          """,
        arguments: [
          stream.wedding, stream.camera, isRecorded, now + RecordingOrderLife.longest, era,
        ])
    }
  }

  package func order(
    of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) -> Bool? {
    try await kept(of: stream, now: now)?.isRecorded
  }

  /// What was ordered of a stream, as it is kept here.
  package func kept(
    of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) -> Kept? {
    try await file.read { database in
      try Row.fetchOne(
        database,
        sql: """
          SELECT is_recorded, era FROM recording_orders
          WHERE wedding = ? AND camera = ? AND until > ?
          """, arguments: [stream.wedding, stream.camera, now]
      ).map { Kept(isRecorded: $0["is_recorded"], era: $0["era"]) }
    }
  }

  package func end(_ stream: StreamNumbers.Name) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: "DELETE FROM recording_orders WHERE wedding = ? AND camera = ?",
        arguments: [stream.wedding, stream.camera])
    }
  }
}
