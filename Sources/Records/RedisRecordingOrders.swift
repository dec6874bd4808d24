package import Redis
package import Store

/// `RecordingOrderStore` in Redis: `wl:order:{wedding}/camera` is 1 where that stream is to be
/// recorded, 0 where it isn't, and there until its end is told.
package struct RedisRecordingOrders: RecordingOrderStore {
  private let server: RecordServer

  /// Keeps orders in a server.
  ///
  /// - Parameters:
  ///   - client: outlives this.
  ///   - deadline: how long one flight of commands may take: publishers wait for it.
  package init(_ client: RedisClient, deadline: Duration = .seconds(1)) {
    server = RecordServer(client: client, deadline: deadline)
  }

  private static func key(_ stream: StreamNumbers.Name) -> String {
    "wl:order:{\(stream.wedding)}/\(stream.camera)"
  }

  /// Whether it is known that nothing can be asked now.
  var isAway: Bool {
    switch server.client.state {
    case .lost, .closed: true
    case .connecting, .connected: false
    }
  }

  package func order(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) {
    _ = try await put(isRecorded, of: stream)
  }

  /// Orders it, and says in which life of Redis' data.
  func put(_ isRecorded: Bool, of stream: StreamNumbers.Name) async throws(StoreError) -> String {
    try RecordEra.decode(
      try await server.atOnce(RecordEra.commands() + [Self.set(isRecorded, stream)]))
  }

  /// Orders what Redis has lost, unless something is ordered by now.
  func restore(_ isRecorded: Bool, of stream: StreamNumbers.Name) async throws(StoreError) {
    var command = Self.set(isRecorded, stream)
    command.append("NX")
    try await server.send(command)
  }

  private static func set(_ isRecorded: Bool, _ stream: StreamNumbers.Name) -> RedisCommand {
    RedisCommand("SET", key(stream), isRecorded ? 1 : 0, "PX", RecordingOrderLife.longest)
  }

  package func order(
    of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) -> Bool? {
    try await orderNow(of: stream).isRecorded
  }

  /// What was ordered of a stream, and in which life of Redis' data that is so.
  func orderNow(
    of stream: StreamNumbers.Name
  ) async throws(StoreError) -> (isRecorded: Bool?, era: String) {
    let replies = try await server.atOnce(
      RecordEra.commands() + [RedisCommand("GET", Self.key(stream))])
    // What nobody of ours has written is no order.
    let isRecorded: Bool? =
      switch replies.last?.text {
      case "1": true
      case "0": false
      default: nil
      }
    return (isRecorded, try RecordEra.decode(replies))
  }

  package func end(_ stream: StreamNumbers.Name) async throws(StoreError) {
    _ = try await remove(stream)
  }

  /// The same; says whether anything was ordered.
  func remove(_ stream: StreamNumbers.Name) async throws(StoreError) -> Bool {
    try await server.send(RedisCommand("DEL", Self.key(stream))).integer == 1
  }
}
