import Bytes
package import Redis
package import Store

/// `CameraStore` in Redis: `wl:cameras:{wedding}` is a hash of all that is kept of a wedding, and
/// `wl:cameras` has the weddings in the order in which they got their first.
///
/// Every change is a script over the one wedding's hash: `CameraScripts`.
package struct RedisCameras: CameraStore {
  private static let index = "wl:cameras"

  private let server: RecordServer

  /// Keeps cameras in a server.
  ///
  /// - Parameters:
  ///   - client: outlives this.
  ///   - deadline: how long one flight of commands may take.
  package init(_ client: RedisClient, deadline: Duration = .seconds(2)) {
    server = RecordServer(client: client, deadline: deadline)
  }

  private static func key(_ wedding: String) -> String { "wl:cameras:{\(wedding)}" }

  // MARK: Reading

  package func book() async throws(StoreError) -> CameraBook {
    let weddings = try await weddings()
    let replies = try await server.all(weddings.map { RedisCommand("HGETALL", Self.key($0)) })
    var book = CameraBook()
    for (wedding, reply) in zip(weddings, replies) {
      book.append(try Self.decode(reply, wedding))
    }
    return book
  }

  package func book(of wedding: String) async throws(StoreError) -> CameraBook {
    try Self.decode(try await server.send(RedisCommand("HGETALL", Self.key(wedding))), wedding)
  }

  /// In which life Redis' data is.
  func era() async throws(StoreError) -> String {
    try RecordEra.decode(try await server.all(RecordEra.commands()))
  }

  private func weddings() async throws(StoreError) -> [String] {
    let reply = try await server.send(RedisCommand("ZRANGE", Self.index, 0, -1))
    guard let names = reply.array else { throw .damaged("\(Self.index) in Redis is not ours") }
    return names.compactMap(\.text)
  }

  private static func decode(
    _ reply: RedisValue, _ wedding: String
  ) throws(StoreError) -> CameraBook {
    guard let fields = reply.fields else {
      throw .damaged("\(key(wedding)) in Redis is no hash of ours")
    }
    return CameraFields.book(of: wedding, in: fields)
  }

  // MARK: Changes

  package func add(
    _ camera: CameraRecord, _ credential: CredentialRecord?
  ) async throws(StoreError) {
    try await enter(camera.wedding)
    var words: [any RedisCommand.Word] = [
      camera.id, camera.name, camera.priority, camera.plan == nil ? 0 : 1, camera.plan ?? "",
      camera.created, camera.lastLive == nil ? 0 : 1, camera.lastLive ?? 0,
    ]
    if let credential { words += Self.words(credential) }
    let reply = try await change(camera.wedding, CameraScripts.add, words)
    guard reply.integer == 1 else {
      throw .failed("\(camera.wedding) has a camera \(camera.id) already")
    }
  }

  package func add(_ credential: CredentialRecord) async throws(StoreError) {
    let reply = try await change(
      credential.wedding, CameraScripts.addCredential,
      [credential.camera] + Self.words(credential))
    guard reply.integer == 1 else {
      throw .failed("\(credential.wedding) has no camera \(credential.camera)")
    }
  }

  private static func words(_ credential: CredentialRecord) -> [any RedisCommand.Word] {
    [Hexadecimal.text(credential.digest), credential.created, credential.expires]
  }

  package func remove(
    _ camera: String, of wedding: String, now: Int64
  ) async throws(StoreError) -> Bool {
    try await change(wedding, CameraScripts.remove, [camera, now]).integer == 1
  }

  package func note(
    _ camera: String, of wedding: String, live time: Int64
  ) async throws(StoreError) {
    try await change(wedding, CameraScripts.note, [camera, time])
  }

  package func choose(
    _ camera: String?, of wedding: String, now: Int64
  ) async throws(StoreError) {
    try await enter(wedding)
    try await change(wedding, CameraScripts.choose, [now, camera == nil ? 0 : 1, camera ?? ""])
  }

  package func forgetCameras(
    before time: Int64, keeping open: Set<String>, now: Int64
  ) async throws(StoreError) -> Int {
    var count = 0
    for wedding in try await weddings() {
      let reply = try await change(
        wedding, CameraScripts.forget, [time, now, open.contains(wedding) ? 1 : 0])
      guard let parts = reply.array, parts.count == 2 else { continue }
      count += Int(clamping: parts[0].integer ?? 0)
      if parts[1].integer == 0 { try await leave(wedding) }
    }
    return count
  }

  /// Writes what Redis has lost: what is there stays as it is.
  ///
  /// - Parameter book: as a node knew it.
  /// - Returns: the weddings of which something was missing.
  /// - Throws: why it could not be written; some of it may be.
  func restore(_ book: CameraBook) async throws(StoreError) -> [String] {
    var restored: [String] = []
    for wedding in book.weddings {
      try await enter(wedding)
      let count = try await change(
        wedding, CameraScripts.restore, CameraFields.words(of: wedding, in: book)
      ).integer
      if count != 0 { restored.append(wedding) }
    }
    return restored
  }

  @discardableResult
  private func change(
    _ wedding: String, _ script: RedisScript, _ arguments: [any RedisCommand.Word]
  ) async throws(StoreError) -> RedisValue {
    try await server.run(script, on: [Self.key(wedding)], arguments)
  }

  // MARK: Index

  /// Has a wedding listed, before anything is kept of it.
  private func enter(_ wedding: String) async throws(StoreError) {
    try await server.run(RecordIndex.enter, on: [Self.index], [wedding])
  }

  /// Takes a wedding of which nothing is kept from the list.
  private func leave(_ wedding: String) async throws(StoreError) {
    let replies = try await server.all([
      RedisCommand("ZREM", Self.index, wedding), RedisCommand("EXISTS", Self.key(wedding)),
    ])
    // Somebody has added a camera meanwhile, and found the wedding listed.
    if replies.last?.integer == 1 { try await enter(wedding) }
  }
}
