import GRDB

/// `RecordingStore` in SQLite.
package struct SQLiteRecordings: RecordingStore {
  private let file: RecordFile

  package init(_ file: RecordFile) { self.file = file }

  package func put(_ recording: RecordingRecord) async throws(StoreError) {
    try await file.write { database in
      try database.execute(
        sql: """
          INSERT INTO recordings
            (id, wedding, camera, quality, state, started, ended, bytes, document)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET
            wedding = excluded.wedding, camera = excluded.camera, quality = excluded.quality,
            state = excluded.state, started = excluded.started, ended = excluded.ended,
            bytes = excluded.bytes, document = excluded.document
          """,
        arguments: [
          recording.id, recording.stream.wedding, recording.stream.camera, recording.quality,
          recording.state.rawValue, recording.started, recording.ended, recording.bytes,
          recording.document,
        ])
    }
  }

  package func recording(_ id: String) async throws(StoreError) -> RecordingRecord? {
    try await file.read { database in
      try Row.fetchOne(
        database, sql: "SELECT * FROM recordings WHERE id = ?", arguments: [id]
      ).map(Self.record)
    }
  }

  package func recordings(ofWedding wedding: String) async throws(StoreError) -> [RecordingRecord] {
    try await file.read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM recordings WHERE wedding = ? ORDER BY started, id",
        arguments: [wedding]
      ).map(Self.record)
    }
  }

  package func recordings(
    in states: Set<RecordingRecord.State>
  ) async throws(StoreError) -> [RecordingRecord] {
    let names = states.map(\.rawValue)
    return try await file.read { database in
      let places = databaseQuestionMarks(count: names.count)
      return try Row.fetchAll(
        database, sql: "SELECT * FROM recordings WHERE state IN (\(places)) ORDER BY started, id",
        arguments: StatementArguments(names)
      ).map(Self.record)
    }
  }

  package func remove(_ id: String) async throws(StoreError) {
    try await file.write { database in
      try database.execute(sql: "DELETE FROM recordings WHERE id = ?", arguments: [id])
    }
  }

  private static func record(_ row: Row) throws -> RecordingRecord {
    let name: String = row["state"]
    guard let state = RecordingRecord.State(rawValue: name) else {
      throw StoreError.failed(
        "a recording is in the state \(name), which a newer version of wedlive made; run that one")
    }
    return RecordingRecord(
      id: row["id"], stream: StreamNumbers.Name(wedding: row["wedding"], camera: row["camera"]),
      quality: row["quality"], state: state, started: row["started"], ended: row["ended"],
      bytes: row["bytes"], document: row["document"])
  }
}
