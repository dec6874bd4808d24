import GRDB

/// Which tables are copies of what a cluster keeps, and of which life of its data.
enum CopyEras {
  static func create(_ database: Database) throws {
    try database.create(table: "copies") { table in
      table.primaryKey("name", .text).notNull()
      table.column("era", .text).notNull()
    }
  }

  static func set(_ era: String, of name: String, _ database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO copies (name, era) VALUES (?, ?)", arguments: [name, era])
  }

  static func era(of name: String, _ database: Database) throws -> String? {
    try String.fetchOne(
      database, sql: "SELECT era FROM copies WHERE name = ?", arguments: [name])
  }
}
