/// `RecordingOrderStore` in memory: gone with the process.
package actor MemoryRecordingOrders: RecordingOrderStore {
  private var orders: [StreamNumbers.Name: (isRecorded: Bool, until: Int64)] = [:]

  package init() {}

  package func order(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) {
    orders = orders.filter { $0.value.until > now }
    orders[stream] = (isRecorded, now + RecordingOrderLife.longest)
  }

  package func order(
    of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) -> Bool? {
    orders[stream].flatMap { $0.until > now ? $0.isRecorded : nil }
  }

  package func end(_ stream: StreamNumbers.Name) async throws(StoreError) { orders[stream] = nil }
}
