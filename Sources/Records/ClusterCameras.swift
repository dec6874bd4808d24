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
      return try await current()
    } catch {
      guard error.canRetry else { throw error }
      return try await copy.book()
    }
  }

  /// What Redis has, with all that this node knew where it had lost its data.
  private func current() async throws(StoreError) -> CameraBook {
    var era = try await shared.era()
    if try await copy.era() != era { try await restore() }
    var book = try await shared.book()
    // It may have been emptied between the two.
    while true {
      let now = try await shared.era()
      if now == era { break }
      try await restore()
      (book, era) = (try await shared.book(), now)
    }
    let (copied, copiedEra) = (try await copy.book(), try await copy.era())
    if copiedEra != era || copied != book {
      // A disk that is full keeps nobody from what is known; the next reading tries it again.
      try? await copy.copy(book, era: era)
    }
    return book
  }

  /// Tells an emptied Redis what there was, and all nodes of what has come back by that.
  private func restore() async throws(StoreError) {
    for wedding in try await shared.restore(try await copy.book()) { await announce(wedding) }
  }

  package func book(of wedding: String) async throws(StoreError) -> CameraBook {
    // Before Redis is read: another reading here may put back meanwhile what was lost.
    let era = try await copy.era()
    let book = try await shared.book(of: wedding)
    guard try await shared.era() == era else {
      // An emptied one says nothing of what was removed, nor of what is there.
      return try await self.book().only(wedding)
    }
    try? await copy.copy(book, of: wedding)
    return book
  }

  /// Puts back what an emptied Redis has lost, as far as this node knows.
  private func putBack() async throws(StoreError) {
    let era: String?
    // Of a copy that can't be read there is nothing to put back.
    do throws(StoreError) { era = try await copy.era() } catch { return }
    if try await shared.era() != era { _ = try await current() }
  }

  package func add(
    _ camera: CameraRecord, _ credential: CredentialRecord?
  ) async throws(StoreError) {
    // One that was emptied would take a second one of an id.
    try await putBack()
    try await shared.add(camera, credential)
    // Redis may lose it before this node has read it.
    try? await copy.add(camera, credential)
    await announce(camera.wedding)
  }

  package func add(_ credential: CredentialRecord) async throws(StoreError) {
    // One that was emptied has no such camera.
    try await putBack()
    try await shared.add(credential)
    try? await copy.add(credential)
    await announce(credential.wedding)
  }

  package func remove(
    _ camera: String, of wedding: String, now: Int64
  ) async throws(StoreError) -> Bool {
    // Before Redis is asked, as in `book(of:)`; the copy's own failure keeps no camera in.
    let era = try? await copy.era()
    var isGone = try await shared.remove(camera, of: wedding, now: now)
    // One that was emptied doesn't know it, and would be told of it by others that do.
    if !isGone, try await shared.era() != era {
      _ = try await current()
      isGone = try await shared.remove(camera, of: wedding, now: now)
    }
    if isGone { _ = try? await copy.remove(camera, of: wedding, now: now) }
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
      // What a copy brings back later is not forgotten.
      try await putBack()
      return try await shared.forgetCameras(before: time, keeping: open, now: now)
    } catch {
      guard error.canRetry else { throw error }
      // There is time until Redis is back.
      return 0
    }
  }
}
