import Foundation
import GRDB

/// `StreamKeyStore` in SQLite.
package struct SQLiteStreamKeys: StreamKeyStore {
  private let file: RecordFile

  package init(_ file: RecordFile) { self.file = file }

  package func add(_ key: StreamKeyRecord) async throws(StoreError) {
    try await file.write { database in
      let known = try Row.fetchOne(
        database, sql: "SELECT * FROM stream_keys WHERE id = ?", arguments: [key.id])
      if let known, Self.record(known).isSame(as: key) { return }
      try database.execute(
        sql: """
          INSERT INTO stream_keys (id, wedding, camera, sealed, created, needed_until)
          VALUES (?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          key.id, key.stream.wedding, key.stream.camera, Data(key.sealed), key.created,
          key.neededUntil,
        ])
    }
  }

  package func key(_ id: String) async throws(StoreError) -> StreamKeyRecord? {
    try await file.read { database in
      try Row.fetchOne(
        database, sql: "SELECT * FROM stream_keys WHERE id = ?", arguments: [id]
      ).map(Self.record)
    }
  }

  package func keys(ofWedding wedding: String) async throws(StoreError) -> [StreamKeyRecord] {
    try await file.read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM stream_keys WHERE wedding = ? ORDER BY created, rowid",
        arguments: [wedding]
      ).map(Self.record)
    }
  }

  package func retire(_ id: String, neededUntil time: Int64) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: "UPDATE stream_keys SET needed_until = ? WHERE id = ?", arguments: [time, id])
    }
  }

  package func forgetKeys(now: Int64) async throws(StoreError) -> Int {
    try await file.write { database in
      try database.execute(
        sql: "DELETE FROM stream_keys WHERE needed_until < ?", arguments: [now])
      return database.changesCount
    }
  }

  /// All that are needed from a time on, oldest first.
  ///
  /// - Parameter time: milliseconds since 1970.
  /// - Returns: those of all weddings.
  /// - Throws: why they can't be read.
  package func keys(neededAt time: Int64) async throws(StoreError) -> [StreamKeyRecord] {
    try await file.read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM stream_keys WHERE needed_until >= ? ORDER BY created, rowid",
        arguments: [time]
      ).map(Self.record)
    }
  }

  private static func record(_ row: Row) -> StreamKeyRecord {
    StreamKeyRecord(
      id: row["id"], stream: StreamNumbers.Name(wedding: row["wedding"], camera: row["camera"]),
      sealed: Array(row["sealed"] as Data), created: row["created"],
      neededUntil: row["needed_until"])
  }
}
