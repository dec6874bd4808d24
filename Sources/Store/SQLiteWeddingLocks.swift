import GRDB

/// `WeddingLockStore` in SQLite.
package struct SQLiteWeddingLocks: WeddingLockStore {
  private let file: RecordFile

  package init(_ file: RecordFile) { self.file = file }

  package func lock(_ wedding: String, since time: Int64) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO locked_weddings (wedding, since) VALUES (?, ?)",
        arguments: [wedding, time])
    }
  }

  package func unlock(_ wedding: String) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: "DELETE FROM locked_weddings WHERE wedding = ?", arguments: [wedding])
    }
  }

  package func locked() async throws(StoreError) -> [String: Int64] {
    try await file.read { database in
      let rows = try Row.fetchAll(database, sql: "SELECT wedding, since FROM locked_weddings")
      return Dictionary(
        rows.map { ($0["wedding"], $0["since"]) }, uniquingKeysWith: { first, _ in first })
    }
  }
}
