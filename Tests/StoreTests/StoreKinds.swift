import Foundation
import Store
import Testing

/// A folder that is removed with the last reference to it.
final class Folder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "wedlive-store-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A file's path in the folder.
  func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// The implementations that must agree.
enum Kind: CaseIterable, CustomTestStringConvertible {
  case memory, sqlite

  var testDescription: String { "\(self)" }

  func numbers(_ folder: Folder) throws -> any StreamNumberStore {
    switch self {
    case .memory: MemoryStreamNumbers()
    case .sqlite: SQLiteStreamNumbers(try RecordFile(path: folder.file("records.sqlite")))
    }
  }

  func recordings(_ folder: Folder) throws -> any RecordingStore {
    switch self {
    case .memory: MemoryRecordings()
    case .sqlite: SQLiteRecordings(try RecordFile(path: folder.file("records.sqlite")))
    }
  }

  func jobs(_ folder: Folder) throws -> any JobStore {
    switch self {
    case .memory: MemoryJobs()
    case .sqlite: SQLiteJobs(try RecordFile(path: folder.file("records.sqlite")))
    }
  }
}
