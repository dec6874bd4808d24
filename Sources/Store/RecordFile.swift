import Dispatch
import Glibc
package import GRDB
import Synchronization

/// The SQLite file of a node's durable records, in the data folder.
///
/// WAL, so that readers never wait for a writer; every commit is synced (`synchronous=FULL`): there
/// are few of them, and a reserved number must survive a power cut.
package final class RecordFile: Sendable {
  package let pool: DatabasePool
  let health = Mutex(Health())
  let place: FilePlace?
  /// When it was last written before it was opened, in milliseconds since 1970; nil for a new one.
  ///
  /// A node tries every ten seconds whether it can write: until then it lived.
  package let lastWritten: Int64?

  /// Opens the file, makes it where there is none, and brings its tables up to date.
  ///
  /// - Parameter path: in a folder that exists.
  /// - Throws: `.damaged` for a file that is no database, `.full`, `.busy` or `.failed`.
  package init(path: String) throws(StoreError) {
    var configuration = Configuration()
    configuration.label = "wedlive"
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
    }
    lastWritten = [path, path + "-wal"].compactMap(Self.modified).max()
    // SQLite would let others read it; what it puts beside the file has the file's mode.
    let made = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    if made >= 0 { Glibc.close(made) }
    place = FilePlace(path)
    do {
      pool = try DatabasePool(path: path, configuration: configuration)
      try RecordFile.migrator.migrate(pool)
    } catch {
      throw StoreError(error, at: path)
    }
  }

  private static func modified(_ path: String) -> Int64? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Int64(status.st_mtim.tv_sec) * 1_000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
  }

  /// Writes the log into the file, which then holds all there is, and closes it.
  ///
  /// - Parameter limit: how long a disk that stalls is waited for.
  /// - Throws: what SQLite says, or `.stalled`; the log beside the file is read at the next start
  ///   then.
  package func close(within limit: Duration = .seconds(3)) async throws(StoreError) {
    let result = try await waiting(atMost: limit) { [pool] () async throws(StoreError) in
      await withCheckedContinuation { continuation in
        // It blocks its thread, which is to be none of those that all tasks share.
        DispatchQueue.global().async { continuation.resume(returning: Result { try pool.close() }) }
      }
    }
    do {
      try result.get()
    } catch {
      throw StoreError(error)
    }
  }

  /// Each step is applied once, in order, and never changed after a release.
  private static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("stream numbers") { database in
      try database.create(table: "stream_numbers") { table in
        table.column("wedding", .text).notNull()
        table.column("camera", .text).notNull()
        table.column("sequence", .integer).notNull()
        table.column("discontinuity", .integer).notNull()
        table.column("epoch", .integer).notNull()
        table.column("tag", .text).notNull()
        table.column("last_pts", .integer)
        table.column("updated", .integer).notNull().indexed()
        table.primaryKey(["wedding", "camera"])
      }
    }
    migrator.registerMigration("segments have names of their own") { database in
      try database.alter(table: "stream_numbers") { $0.drop(column: "tag") }
    }
    migrator.registerMigration("stream keys") { database in
      try database.create(table: "stream_keys") { table in
        table.primaryKey("id", .text).notNull()
        table.column("wedding", .text).notNull().indexed()
        table.column("camera", .text).notNull()
        table.column("sealed", .blob).notNull()
        table.column("created", .integer).notNull()
        table.column("needed_until", .integer).notNull().indexed()
      }
    }
    migrator.registerMigration("locked weddings") { database in
      try database.create(table: "locked_weddings") { table in
        table.primaryKey("wedding", .text).notNull()
        table.column("since", .integer).notNull()
      }
    }
    migrator.registerMigration("recordings and jobs") { database in
      try database.create(table: "recordings") { table in
        table.primaryKey("id", .text).notNull()
        table.column("wedding", .text).notNull().indexed()
        table.column("camera", .text).notNull()
        table.column("quality", .text).notNull()
        table.column("state", .text).notNull().indexed()
        table.column("started", .integer).notNull()
        table.column("ended", .integer)
        table.column("bytes", .integer).notNull()
        table.column("document", .text).notNull()
      }
      try database.create(table: "jobs") { table in
        table.primaryKey("id", .text).notNull()
        table.column("step", .text).notNull()
        table.column("attempts", .integer).notNull()
        table.column("due", .integer).notNull().indexed()
        table.column("checkpoint", .text).notNull()
        table.column("failure", .text)
      }
    }
    migrator.registerMigration("cameras", migrate: createCameras)
    migrator.registerMigration("copies of a cluster's records", migrate: CopyEras.create)
    migrator.registerMigration("purges that wait", migrate: SQLitePurges.create)
    migrator.registerMigration("streams that are over") { database in
      try database.alter(table: "stream_numbers") {
        // Written by a process that doesn't know it: as if on the air.
        $0.add(column: "is_over", .boolean).notNull().defaults(to: false)
      }
    }
    migrator.registerMigration("when streams went on the air") { database in
      try database.alter(table: "stream_numbers") { $0.add(column: "began", .integer) }
    }
    migrator.registerMigration(
      "recordings that were ordered", migrate: SQLiteRecordingOrders.create)
    return migrator
  }

  /// Reads, in a moment that no writer changes.
  func read<Value: Sendable>(
    _ work: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    do {
      return try await pool.read(work)
    } catch {
      throw StoreError(error)
    }
  }

  /// Writes all of it or nothing; on disk when it returns.
  func write<Value: Sendable>(
    _ work: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    do {
      let value = try await pool.write(work)
      wrote()
      return value
    } catch {
      failedToWrite(error)
      throw StoreError(error)
    }
  }
}

extension StoreError {
  /// Sorts an error of SQLite or GRDB by its primary code.
  init(_ error: any Error, at path: String? = nil) {
    if let own = error as? StoreError {
      self = own
      return
    }
    let place = path.map { "\($0): " } ?? ""
    guard let error = error as? DatabaseError else {
      self = .failed("\(place)\(error)")
      return
    }
    // Not `description`: that shows the statement's arguments.
    let words = "\(place)\(error.message ?? "SQLite error \(error.resultCode.rawValue)")"
    switch error.resultCode {
    case .SQLITE_FULL: self = .full(words)
    case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(words)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged(words)
    default: self = .failed(words)
    }
  }
}
