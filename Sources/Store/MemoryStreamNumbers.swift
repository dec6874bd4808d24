/// `StreamNumberStore` in memory, for a node without a data folder: numbers hold as long as the
/// process does.
package actor MemoryStreamNumbers: StreamNumberStore {
  private var rows: [StreamNumbers.Name: StreamNumbers] = [:]

  package init() {}

  package func begin(_ name: StreamNumbers.Name, now: Int64) async throws(StoreError)
    -> StreamNumbers
  {
    let run = StreamNumbers.begin(
      after: rows[name], name: name, now: now)
    keep(run, start: run.limits, now: now)
    return run
  }

  package func extend(
    _ numbers: StreamNumbers, now: Int64
  ) async throws(StoreError) -> StreamNumbers.Position {
    try checkEpoch(numbers)
    let limits = numbers.extendedLimits
    keep(numbers, start: limits, now: now)
    return limits
  }

  package func end(_ numbers: StreamNumbers, now: Int64) async throws(StoreError) {
    try checkEpoch(numbers)
    keep(numbers, start: numbers.next, now: now)
  }

  package func numbers(_ name: StreamNumbers.Name) async throws(StoreError) -> StreamNumbers? {
    rows[name]
  }

  package func recent(
    since time: Int64, atMost most: Int
  ) async throws(StoreError) -> [StreamNumbers.Name] {
    let recent = rows.values.filter { $0.updated >= time && !$0.isOver }
    return recent.sorted { $0.updated > $1.updated }.prefix(most).map(\.name)
  }

  package func forget(
    before time: Int64, keeping open: Set<StreamNumbers.Name>
  ) async throws(StoreError) -> Int {
    let count = rows.count
    rows = rows.filter { $0.value.updated >= time || open.contains($0.key) }
    return count - rows.count
  }

  private func checkEpoch(_ numbers: StreamNumbers) throws(StoreError) {
    guard let row = rows[numbers.name] else { return }
    guard row.epoch == numbers.epoch else { throw StoreError.fenced(numbers.name) }
  }

  private func keep(_ numbers: StreamNumbers, start: StreamNumbers.Position, now: Int64) {
    var row = numbers
    row.next = start
    row.limits = start
    row.updated = now
    rows[row.name] = row
  }
}
