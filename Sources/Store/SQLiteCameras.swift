import Foundation
import GRDB

/// `CameraStore` in SQLite.
package struct SQLiteCameras: CameraStore {
  private let file: RecordFile

  package init(_ file: RecordFile) { self.file = file }

  package func book() async throws(StoreError) -> CameraBook {
    try await file.read { try Self.book(nil, $0) }
  }

  package func book(of wedding: String) async throws(StoreError) -> CameraBook {
    try await file.read { try Self.book(wedding, $0) }
  }

  /// What there is of one wedding, or of all.
  private static func book(_ wedding: String?, _ database: Database) throws -> CameraBook {
    func rows(_ table: String) throws -> [Row] {
      guard let wedding else {
        return try Row.fetchAll(database, sql: "SELECT * FROM \(table) ORDER BY rowid")
      }
      return try Row.fetchAll(
        database, sql: "SELECT * FROM \(table) WHERE wedding = ? ORDER BY rowid",
        arguments: [wedding])
    }
    var book = CameraBook()
    book.cameras = try rows("cameras").map(camera)
    book.credentials = try rows("camera_credentials").map(credential)
    book.removed = try rows("removed_cameras")
      .map { RemovedCamera(wedding: $0["wedding"], id: $0["id"], removed: $0["removed"]) }
    book.programs = try rows("programs")
      .map { ProgramRecord(wedding: $0["wedding"], camera: $0["camera"], updated: $0["updated"]) }
    return book
  }

  package func add(
    _ camera: CameraRecord, _ credential: CredentialRecord?
  ) async throws(StoreError) {
    try await file.write { database in
      guard try !Self.has(camera.id, camera.wedding, database) else {
        throw StoreError.failed("\(camera.wedding) has a camera \(camera.id) already")
      }
      try Self.keep(camera, database)
      if let credential { try Self.keep(credential, database) }
      try database.execute(
        sql: "DELETE FROM removed_cameras WHERE wedding = ? AND id = ?",
        arguments: [camera.wedding, camera.id])
      try database.execute(
        sql: "INSERT OR IGNORE INTO programs (wedding, camera, updated) VALUES (?, NULL, ?)",
        arguments: [camera.wedding, camera.created])
    }
  }

  package func add(_ credential: CredentialRecord) async throws(StoreError) {
    try await file.write { database in
      guard try Self.has(credential.camera, credential.wedding, database) else {
        throw StoreError.failed("\(credential.wedding) has no camera \(credential.camera)")
      }
      try Self.keep(credential, database)
    }
  }

  package func remove(
    _ camera: String, of wedding: String, now: Int64
  ) async throws(StoreError) -> Bool {
    try await file.write { database in
      guard try Self.has(camera, wedding, database) else { return false }
      try database.execute(
        sql: "DELETE FROM cameras WHERE wedding = ? AND id = ?", arguments: [wedding, camera])
      try database.execute(
        sql: "DELETE FROM camera_credentials WHERE wedding = ? AND camera = ?",
        arguments: [wedding, camera])
      try database.execute(
        sql: "INSERT OR REPLACE INTO removed_cameras (wedding, id, removed) VALUES (?, ?, ?)",
        arguments: [wedding, camera, now])
      try database.execute(
        sql: "UPDATE programs SET camera = NULL, updated = ? WHERE wedding = ? AND camera = ?",
        arguments: [now, wedding, camera])
      return true
    }
  }

  package func note(
    _ camera: String, of wedding: String, live time: Int64
  ) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: "UPDATE cameras SET last_live = ? WHERE wedding = ? AND id = ?",
        arguments: [time, wedding, camera])
    }
  }

  package func choose(
    _ camera: String?, of wedding: String, now: Int64
  ) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: "INSERT OR REPLACE INTO programs (wedding, camera, updated) VALUES (?, ?, ?)",
        arguments: [wedding, camera, now])
    }
  }

  package func forgetCameras(
    before time: Int64, keeping open: Set<String>, now: Int64
  ) async throws(StoreError) -> Int {
    try await file.write { database in
      try database.execute(
        sql: "DELETE FROM camera_credentials WHERE expires < ?", arguments: [now])
      var count = database.changesCount
      try database.execute(
        sql: "DELETE FROM removed_cameras WHERE removed < ?", arguments: [time])
      count += database.changesCount
      let old = try String.fetchAll(
        database,
        sql: """
          SELECT wedding FROM programs
          WHERE updated < ? AND wedding NOT IN (SELECT wedding FROM cameras)
          """, arguments: [time])
      for wedding in old where !open.contains(wedding) {
        try database.execute(sql: "DELETE FROM programs WHERE wedding = ?", arguments: [wedding])
        count += database.changesCount
      }
      return count
    }
  }

  /// Keeps all that there is elsewhere, instead of what was kept.
  ///
  /// - Parameters:
  ///   - book: what is to be kept.
  ///   - wedding: whose cameras those are; nil: all weddings'.
  ///   - era: in which life of the data that was read it is so; nil: as it was.
  /// - Throws: why nothing could be stored.
  package func copy(
    _ book: CameraBook, of wedding: String? = nil, era: String? = nil
  ) async throws(StoreError) {
    try await file.write { database in
      for table in ["cameras", "camera_credentials", "removed_cameras", "programs"] {
        try database.execute(
          sql: "DELETE FROM \(table) WHERE ? IS NULL OR wedding = ?",
          arguments: [wedding, wedding])
      }
      for camera in book.cameras { try Self.keep(camera, database) }
      for credential in book.credentials { try Self.keep(credential, database) }
      for camera in book.removed {
        try database.execute(
          sql: "INSERT INTO removed_cameras (wedding, id, removed) VALUES (?, ?, ?)",
          arguments: [camera.wedding, camera.id, camera.removed])
      }
      for program in book.programs {
        try database.execute(
          sql: "INSERT INTO programs (wedding, camera, updated) VALUES (?, ?, ?)",
          arguments: [program.wedding, program.camera, program.updated])
      }
      if let era { try CopyEras.set(era, of: "cameras", database) }
    }
  }

  /// The life of the data that the copy is of; nil where it is none.
  package func era() async throws(StoreError) -> String? {
    try await file.read { try CopyEras.era(of: "cameras", $0) }
  }

  private static func has(_ camera: String, _ wedding: String, _ database: Database) throws -> Bool
  {
    try Int.fetchOne(
      database, sql: "SELECT 1 FROM cameras WHERE wedding = ? AND id = ?",
      arguments: [wedding, camera]) != nil
  }

  private static func keep(_ camera: CameraRecord, _ database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO cameras (wedding, id, name, priority, plan, created, last_live)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        camera.wedding, camera.id, camera.name, camera.priority, camera.plan, camera.created,
        camera.lastLive,
      ])
  }

  private static func keep(_ credential: CredentialRecord, _ database: Database) throws {
    try database.execute(
      sql: """
        INSERT OR IGNORE INTO camera_credentials (digest, wedding, camera, created, expires)
        VALUES (?, ?, ?, ?, ?)
        """,
      arguments: [
        Data(credential.digest), credential.wedding, credential.camera, credential.created,
        credential.expires,
      ])
  }

  private static func camera(_ row: Row) -> CameraRecord {
    CameraRecord(
      wedding: row["wedding"], id: row["id"], name: row["name"], priority: row["priority"],
      plan: row["plan"], created: row["created"], lastLive: row["last_live"])
  }

  private static func credential(_ row: Row) -> CredentialRecord {
    CredentialRecord(
      wedding: row["wedding"], camera: row["camera"], digest: Array(row["digest"] as Data),
      created: row["created"], expires: row["expires"])
  }
}

extension RecordFile {
  /// The tables of cameras.
  static func createCameras(_ database: Database) throws {
    try database.create(table: "cameras") { table in
      table.column("wedding", .text).notNull()
      table.column("id", .text).notNull()
      table.column("name", .text).notNull()
      table.column("priority", .integer).notNull()
      table.column("plan", .text)
      table.column("created", .integer).notNull()
      table.column("last_live", .integer)
      table.primaryKey(["wedding", "id"])
    }
    try database.create(table: "camera_credentials") { table in
      table.primaryKey("digest", .blob).notNull()
      table.column("wedding", .text).notNull()
      table.column("camera", .text).notNull()
      table.column("created", .integer).notNull()
      table.column("expires", .integer).notNull().indexed()
    }
    try database.create(
      index: "camera_credentials_on_camera", on: "camera_credentials",
      columns: ["wedding", "camera"])
    try database.create(table: "removed_cameras") { table in
      table.column("wedding", .text).notNull()
      table.column("id", .text).notNull()
      table.column("removed", .integer).notNull().indexed()
      table.primaryKey(["wedding", "id"])
    }
    try database.create(table: "programs") { table in
      table.primaryKey("wedding", .text).notNull()
      table.column("camera", .text)
      table.column("updated", .integer).notNull()
    }
  }
}
