package import Store

/// The cameras of a cluster's weddings: they are in Redis, and every node has a copy on its disk.
///
/// While Redis is away nobody can add or remove one, and what was known goes on. A Redis that has
/// lost its data is told what this node knew.
package struct ClusterCameras: CameraStore {
  private let shared: RedisCameras
  private let copy: SQLiteCameras
  private let announce: @Sendable (String) async -> Void

  /// Keeps cameras in Redis.
  ///
  /// - Parameters:
  ///   - shared: all nodes' cameras.
  ///   - copy: this node's, in its data folder.
  ///   - announce: tells all nodes that something of a wedding is otherwise.
  package init(
    _ shared: RedisCameras, copy: SQLiteCameras,
    announce: @escaping @Sendable (String) async -> Void = { _ in }
  ) {
    self.shared = shared
    self.copy = copy
    self.announce = announce
  }

  package func book() async throws(StoreError) -> CameraBook {
    do throws(StoreError) {
      var era = try await shared.era()
      if try await copy.era() != era { try await shared.restore(try await copy.book()) }
      var book = try await shared.book()
      // It may have been emptied between the two.
      while true {
        let now = try await shared.era()
        if now == era { break }
        try await shared.restore(try await copy.book())
        (book, era) = (try await shared.book(), now)
      }
      let (copied, copiedEra) = (try await copy.book(), try await copy.era())
      if copiedEra != era || copied != book {
        // A disk that is full keeps nobody from what is known; the next reading tries it again.
        try? await copy.copy(book, era: era)
      }
      return book
    } catch {
      guard error.canRetry else { throw error }
      return try await copy.book()
    }
  }

  package func book(of wedding: String) async throws(StoreError) -> CameraBook {
    let book = try await shared.book(of: wedding)
    // An emptied one says nothing; `book` tells it what there was.
    let (now, then) = (try await shared.era(), try await copy.era())
    if now == then { try? await copy.copy(book, of: wedding) }
    return book
  }

  package func add(
    _ camera: CameraRecord, _ credential: CredentialRecord?
  ) async throws(StoreError) {
    try await shared.add(camera, credential)
    await announce(camera.wedding)
  }

  package func add(_ credential: CredentialRecord) async throws(StoreError) {
    try await shared.add(credential)
    await announce(credential.wedding)
  }

  package func remove(
    _ camera: String, of wedding: String, now: Int64
  ) async throws(StoreError) -> Bool {
    let isGone = try await shared.remove(camera, of: wedding, now: now)
    await announce(wedding)
    return isGone
  }

  package func note(
    _ camera: String, of wedding: String, live time: Int64
  ) async throws(StoreError) {
    try await shared.note(camera, of: wedding, live: time)
    await announce(wedding)
  }

  package func choose(
    _ camera: String?, of wedding: String, now: Int64
  ) async throws(StoreError) {
    try await shared.choose(camera, of: wedding, now: now)
    await announce(wedding)
  }

  package func forgetCameras(
    before time: Int64, keeping open: Set<String>, now: Int64
  ) async throws(StoreError) -> Int {
    do throws(StoreError) {
      return try await shared.forgetCameras(before: time, keeping: open, now: now)
    } catch {
      guard error.canRetry else { throw error }
      // There is time until Redis is back.
      return 0
    }
  }
}
