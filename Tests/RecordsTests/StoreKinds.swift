import Foundation
import Logging
import Records
import Redis
import RedisSupport
import Store
import Synchronization
import Testing

/// A folder, and a Redis where one is asked for; both go with the last reference to it.
final class Folder: Sendable {
  let path: String
  private let server = Mutex<RedisServerProcess?>(nil)

  init() throws {
    path = NSTemporaryDirectory() + "wedlive-records-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A file of records in the folder.
  func file(_ name: String = "records.sqlite") throws -> RecordFile {
    try RecordFile(path: "\(path)/\(name)")
  }

  /// A Redis that is started once.
  func redis() throws -> RedisServerProcess {
    try server.withLock { server in
      let running = try server ?? RedisServerProcess()
      server = running
      return running
    }
  }

  /// Connects to it.
  func client() throws -> RedisClient { try RedisClient(try redis().configuration()) }
}

/// A logger that says nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// The implementations that must agree; `cluster` is Redis with a copy in SQLite.
enum Kind: CaseIterable, CustomTestStringConvertible {
  case memory, sqlite, redis, cluster

  var testDescription: String { "\(self)" }

  func locks(_ folder: Folder) throws -> any WeddingLockStore {
    switch self {
    case .memory: MemoryWeddingLocks()
    case .sqlite: SQLiteWeddingLocks(try folder.file())
    case .redis: RedisWeddingLocks(try folder.client(), deadline: .seconds(20))
    case .cluster:
      ClusterWeddingLocks(
        RedisWeddingLocks(try folder.client(), deadline: .seconds(20)),
        copy: SQLiteWeddingLocks(try folder.file()))
    }
  }

  func cameras(_ folder: Folder) throws -> any CameraStore {
    switch self {
    case .memory: MemoryCameras()
    case .sqlite: SQLiteCameras(try folder.file())
    case .redis: RedisCameras(try folder.client(), deadline: .seconds(20))
    case .cluster:
      ClusterCameras(
        RedisCameras(try folder.client(), deadline: .seconds(20)),
        copy: SQLiteCameras(try folder.file()))
    }
  }

  func orders(_ folder: Folder) throws -> any RecordingOrderStore {
    switch self {
    case .memory: MemoryRecordingOrders()
    case .sqlite: SQLiteRecordingOrders(try folder.file())
    case .redis: RedisRecordingOrders(try folder.client(), deadline: .seconds(20))
    case .cluster:
      ClusterRecordingOrders(
        RedisRecordingOrders(try folder.client(), deadline: .seconds(20)),
        copy: SQLiteRecordingOrders(try folder.file()))
    }
  }

  func keys(_ folder: Folder) throws -> any StreamKeyStore {
    switch self {
    case .memory: MemoryStreamKeys()
    case .sqlite: SQLiteStreamKeys(try folder.file())
    case .redis: RedisStreamKeys(try folder.client(), deadline: .seconds(20))
    case .cluster:
      ClusterStreamKeys(
        RedisStreamKeys(try folder.client(), deadline: .seconds(20)),
        own: SQLiteStreamKeys(try folder.file()), logger: quiet)
    }
  }
}
