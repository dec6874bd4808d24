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

  /// Keeps what is locked elsewhere, instead of what was kept.
  ///
  /// - Parameters:
  ///   - weddings: all that are locked, since when.
  ///   - era: in which life of the data that was read it is so.
  /// - Throws: why nothing could be stored.
  package func copy(_ weddings: [String: Int64], era: String) async throws(StoreError) {
    try await file.write { database in
      try database.execute(sql: "DELETE FROM locked_weddings")
      for (wedding, since) in weddings {
        try database.execute(
          sql: "INSERT INTO locked_weddings (wedding, since) VALUES (?, ?)",
          arguments: [wedding, since])
      }
      try CopyEras.set(era, of: "locks", database)
    }
  }

  /// The life of the data that the copy is of; nil where it is none.
  package func era() async throws(StoreError) -> String? {
    try await file.read { try CopyEras.era(of: "locks", $0) }
  }
}
