import Foundation
import Storage
import Synchronization

/// Keeps objects in memory; fails, forgets and damages them as a test wants.
final class TestStorage: ObjectStorage {
  struct State {
    var objects: [String: [UInt8]] = [:]
    var puts: [String] = []
    var checkpoints: [String: UploadCheckpoint?] = [:]
    var failure: StorageError?
    var isHeld = false
    var forgets: Set<String> = []
    var abandoned: [String] = []
  }

  let kind = StorageKind.s3
  let state = Mutex(State())
  var names: [String] { state.withLock { Array($0.objects.keys) } }

  func put(
    _ path: String, as name: String, contentType: String, from checkpoint: UploadCheckpoint?,
    note: @Sendable (UploadCheckpoint) async -> Void
  ) async throws(StorageError) -> StoredObject {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .unreadable("\(path) is gone")
    }
    state.withLock {
      $0.puts.append(name)
      $0.checkpoints[name] = .some(checkpoint)
    }
    await note(
      UploadCheckpoint(
        kind: kind, name: name, location: "b", bytes: data.count, uploadID: "u", partBytes: 100))
    while state.withLock({ $0.isHeld }) {
      if Task.isCancelled { throw .cancelled }
      try? await Task.sleep(for: .milliseconds(5))
    }
    if Task.isCancelled { throw .cancelled }
    if let failure = state.withLock({ $0.failure }) { throw failure }
    state.withLock { $0.objects[name] = Array(data) }
    return StoredObject(
      kind: kind, name: name, location: "b", bytes: data.count, contentType: contentType,
      checksum: "", parts: [])
  }

  func confirm(_ object: StoredObject) async throws(StorageError) -> Bool {
    try state.withLock { state throws(StorageError) in
      if let failure = state.failure { throw failure }
      if state.forgets.remove(object.name) != nil { state.objects[object.name] = nil }
      return state.objects[object.name]?.count == object.bytes
    }
  }

  func read(_ object: StoredObject, range: Range<Int>) async throws(StorageError) -> [UInt8] {
    guard let bytes = state.withLock({ $0.objects[object.name] }) else { throw .notFound("gone") }
    return Array(bytes[range])
  }

  func delete(_ object: StoredObject) async throws(StorageError) {
    try state.withLock { state throws(StorageError) in
      if let failure = state.failure { throw failure }
      state.objects[object.name] = nil
    }
  }

  func abandon(_ checkpoint: UploadCheckpoint) async throws(StorageError) {
    state.withLock { $0.abandoned.append(checkpoint.name) }
  }

  func address(_ object: StoredObject) -> String? { "https://cdn/\(object.name)" }
}
