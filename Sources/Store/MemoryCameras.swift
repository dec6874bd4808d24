/// `CameraStore` in memory: gone with the process.
package actor MemoryCameras: CameraStore {
  private var kept = CameraBook()

  package init() {}

  package func book() async throws(StoreError) -> CameraBook { kept }

  package func book(of wedding: String) async throws(StoreError) -> CameraBook {
    var book = kept
    book.cameras.removeAll { $0.wedding != wedding }
    book.credentials.removeAll { $0.wedding != wedding }
    book.removed.removeAll { $0.wedding != wedding }
    book.programs.removeAll { $0.wedding != wedding }
    return book
  }

  package func add(
    _ camera: CameraRecord, _ credential: CredentialRecord?
  ) async throws(StoreError) {
    guard !has(camera.id, camera.wedding) else {
      throw .failed("\(camera.wedding) has a camera \(camera.id) already")
    }
    kept.cameras.append(camera)
    if let credential { keep(credential) }
    kept.removed.removeAll { $0.wedding == camera.wedding && $0.id == camera.id }
    guard !kept.programs.contains(where: { $0.wedding == camera.wedding }) else { return }
    kept.programs.append(
      ProgramRecord(wedding: camera.wedding, camera: nil, updated: camera.created))
  }

  package func add(_ credential: CredentialRecord) async throws(StoreError) {
    guard has(credential.camera, credential.wedding) else {
      throw .failed("\(credential.wedding) has no camera \(credential.camera)")
    }
    keep(credential)
  }

  package func remove(
    _ camera: String, of wedding: String, now: Int64
  ) async throws(StoreError) -> Bool {
    guard has(camera, wedding) else { return false }
    kept.cameras.removeAll { $0.wedding == wedding && $0.id == camera }
    kept.credentials.removeAll { $0.wedding == wedding && $0.camera == camera }
    kept.removed.append(RemovedCamera(wedding: wedding, id: camera, removed: now))
    for index in kept.programs.indices
    where kept.programs[index].wedding == wedding && kept.programs[index].camera == camera {
      kept.programs[index].camera = nil
      kept.programs[index].updated = now
    }
    return true
  }

  package func note(
    _ camera: String, of wedding: String, live time: Int64
  ) async throws(StoreError) {
    for index in kept.cameras.indices
    where kept.cameras[index].wedding == wedding && kept.cameras[index].id == camera {
      kept.cameras[index].lastLive = time
    }
  }

  package func choose(
    _ camera: String?, of wedding: String, now: Int64
  ) async throws(StoreError) {
    kept.programs.removeAll { $0.wedding == wedding }
    kept.programs.append(ProgramRecord(wedding: wedding, camera: camera, updated: now))
  }

  package func forgetCameras(
    before time: Int64, keeping open: Set<String>, now: Int64
  ) async throws(StoreError) -> Int {
    let before = count
    kept.credentials.removeAll { $0.expires < now }
    kept.removed.removeAll { $0.removed < time }
    let weddings = Set(kept.cameras.map(\.wedding)).union(open)
    kept.programs.removeAll { $0.updated < time && !weddings.contains($0.wedding) }
    return before - count
  }

  private var count: Int {
    kept.credentials.count + kept.removed.count + kept.programs.count
  }

  private func has(_ camera: String, _ wedding: String) -> Bool {
    kept.cameras.contains { $0.wedding == wedding && $0.id == camera }
  }

  private func keep(_ credential: CredentialRecord) {
    guard !kept.credentials.contains(where: { $0.digest == credential.digest }) else { return }
    kept.credentials.append(credential)
  }
}
