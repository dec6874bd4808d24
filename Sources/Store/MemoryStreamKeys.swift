/// `StreamKeyStore` in memory: gone with the process.
package actor MemoryStreamKeys: StreamKeyStore {
  private var records: [String: StreamKeyRecord] = [:]
  /// In order of their addition.
  private var ids: [String] = []

  package init() {}

  package func add(_ key: StreamKeyRecord) async throws(StoreError) {
    if let known = records[key.id] {
      guard known.isSame(as: key) else { throw .failed("there is a key \(key.id) already") }
      return
    }
    records[key.id] = key
    ids.append(key.id)
  }

  package func key(_ id: String) async throws(StoreError) -> StreamKeyRecord? { records[id] }

  package func keys(ofWedding wedding: String) async throws(StoreError) -> [StreamKeyRecord] {
    ids.compactMap { records[$0] }.filter { $0.stream.wedding == wedding }
      .sorted { $0.created < $1.created }
  }

  package func retire(_ id: String, neededUntil time: Int64) async throws(StoreError) {
    records[id]?.neededUntil = time
  }

  package func forgetKeys(now: Int64) async throws(StoreError) -> Int {
    let gone = records.values.filter { $0.neededUntil < now }.map(\.id)
    for id in gone { records[id] = nil }
    ids.removeAll { records[$0] == nil }
    return gone.count
  }
}
