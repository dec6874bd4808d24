import Telemetry

/// A storage whose calls are counted.
struct MeteredStorage: ObjectStorage {
  private let storage: any ObjectStorage
  private let metrics: MetricRegistry
  private let sent: Counter
  private let received: Counter

  init(_ storage: any ObjectStorage, metrics: MetricRegistry) {
    self.storage = storage
    self.metrics = metrics
    sent = metrics.counter(
      "wedlive_storage_sent_bytes_total", help: "Bytes of objects that were put into the storage.")
    received = metrics.counter(
      "wedlive_storage_received_bytes_total", help: "Bytes of objects that were read from it.")
  }

  var kind: StorageKind { storage.kind }

  func put(
    _ path: String, as name: String, contentType: String, from checkpoint: UploadCheckpoint?,
    note: @Sendable (UploadCheckpoint) async -> Void
  ) async throws(StorageError) -> StoredObject {
    let object = try await counted("put") { () throws(StorageError) in
      try await storage.put(
        path, as: name, contentType: contentType, from: checkpoint, note: note)
    }
    sent.add(UInt64(object.bytes))
    return object
  }

  func confirm(_ object: StoredObject) async throws(StorageError) -> Bool {
    try await counted("confirm") { () throws(StorageError) in try await storage.confirm(object) }
  }

  func read(_ object: StoredObject, range: Range<Int>) async throws(StorageError) -> [UInt8] {
    let bytes = try await counted("read") { () throws(StorageError) in
      try await storage.read(object, range: range)
    }
    received.add(UInt64(bytes.count))
    return bytes
  }

  func delete(_ object: StoredObject) async throws(StorageError) {
    try await counted("delete") { () throws(StorageError) in try await storage.delete(object) }
  }

  func abandon(_ checkpoint: UploadCheckpoint) async throws(StorageError) {
    try await counted("abandon") { () throws(StorageError) in
      try await storage.abandon(checkpoint)
    }
  }

  func address(_ object: StoredObject) -> String? { storage.address(object) }

  private func counted<Value>(
    _ call: String, _ work: () async throws(StorageError) -> Value
  ) async throws(StorageError) -> Value {
    do throws(StorageError) {
      let value = try await work()
      count(call, "ok")
      return value
    } catch {
      count(call, error.code)
      throw error
    }
  }

  private func count(_ call: String, _ result: String) {
    metrics.counter(
      "wedlive_storage_calls_total", help: "Calls of the storage by how they ended.",
      labels: ["call": call, "result": result]
    ).increment()
  }
}
