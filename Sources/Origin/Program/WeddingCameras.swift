package import Access
import ControlAPI
package import Logging
import Media
package import Store
import Synchronization

/// The cameras that weddings have besides their main one, and whose stream keys are good.
///
/// Kept in the store; looked up in memory, without waiting, when a publisher comes.
package final class WeddingCameras: Sendable {
  private struct State {
    var cameras: [String: [CameraRecord]] = [:]
    /// When each key ends, in milliseconds since 1970, by digest.
    var keys: [StreamKey: [[UInt8]: Int64]] = [:]
    var removed: Set<StreamKey> = []
    /// Weddings that have a program, and what it is to show.
    var programs: [String: String?] = [:]
    /// What was written last in the background could not be.
    var isFailing = false

    init(_ book: CameraBook = CameraBook()) {
      for camera in book.cameras { cameras[camera.wedding, default: []].append(camera) }
      for key in book.credentials {
        guard let stream = StreamKey(wedding: key.wedding, camera: key.camera) else { continue }
        keys[stream, default: [:]][key.digest] = key.expires
      }
      for camera in book.removed {
        guard let stream = StreamKey(wedding: camera.wedding, camera: camera.id) else { continue }
        removed.insert(stream)
      }
      for program in book.programs { programs[program.wedding] = .some(program.camera) }
    }

    /// What is known of each wedding.
    var byWedding: [String: State] {
      var parts: [String: State] = [:]
      for (wedding, cameras) in cameras {
        parts[wedding, default: State()].cameras[wedding] = cameras
      }
      for (key, digests) in keys { parts[key.wedding, default: State()].keys[key] = digests }
      for key in removed { parts[key.wedding, default: State()].removed.insert(key) }
      for (wedding, camera) in programs {
        parts[wedding, default: State()].programs[wedding] = .some(camera)
      }
      return parts
    }

    /// Puts what is known of one wedding in the place of what was.
    mutating func replace(_ wedding: String, _ part: State) {
      cameras[wedding] = part.cameras[wedding]
      keys = keys.filter { $0.key.wedding != wedding }.merging(part.keys) { $1 }
      removed = removed.filter { $0.wedding != wedding }.union(part.removed)
      programs[wedding] = part.programs[wedding]
    }

    func isSame(as other: State) -> Bool {
      cameras == other.cameras && keys == other.keys && removed == other.removed
        && programs == other.programs
    }
  }

  /// What another node of the cluster has changed of a wedding.
  struct News: Equatable {
    var added: [String] = []
    var removed: [String] = []
    /// What its program is to show now; nil where that is as it was.
    var chosen: String?
  }

  /// How long a removed camera is remembered: no key is made for longer.
  private static let remembered: Int64 = 91 * 86_400_000

  private let store: any CameraStore
  private let logger: Logger
  private let patience: Duration
  let plans: Plans
  let rule: CameraReturn
  private let now: @Sendable () -> Int64
  private let errands = Errands()
  /// For those who change a wedding's cameras and what its program shows.
  let turns = Turns()
  private let state = Mutex(State())

  /// Makes an empty set; `load` fills it.
  ///
  /// - Parameters:
  ///   - store: keeps them.
  ///   - plans: say how many a wedding may have.
  ///   - rule: for a camera that was lost and is live again.
  ///   - logger: hears of changes, and of what the store can't do.
  ///   - patience: how long a change waits for the store.
  ///   - now: milliseconds since 1970.
  package init(
    store: any CameraStore, plans: Plans = .defaults,
    rule: CameraReturn = .after(milliseconds: 30_000), logger: Logger,
    patience: Duration = .seconds(5),
    now: @escaping @Sendable () -> Int64 = { StreamOutlet.wallClockMilliseconds }
  ) {
    self.store = store
    self.plans = plans
    self.rule = rule
    self.logger = logger
    self.patience = patience
    self.now = now
  }

  /// Reads what there was, and forgets what nobody needs.
  ///
  /// - Throws: why it can't be read: keys of removed cameras would be good again.
  package func load() async throws(StoreError) {
    let time = now()
    _ = try await store.forgetCameras(before: time - Self.remembered, keeping: [], now: time)
    let book = try await store.book()
    state.withLock { $0 = State(book) }
  }

  // MARK: In a cluster

  /// The weddings of which the store knows something else than this node.
  ///
  /// - Throws: why it can't be read.
  func outdated() async throws(StoreError) -> [String] {
    let (read, known) = (State(try await store.book()), state.withLock { $0 })
    let (there, here) = (read.byWedding, known.byWedding)
    return Set(there.keys).union(here.keys).sorted().filter { wedding in
      !(there[wedding] ?? State()).isSame(as: here[wedding] ?? State())
    }
  }

  /// Reads a wedding's cameras again: another node may have changed them.
  ///
  /// - Parameter wedding: nobody else changes it meanwhile: see `turns`.
  /// - Returns: what is otherwise.
  /// - Throws: why it can't be read; what was known stays so.
  func refresh(_ wedding: String) async throws(StoreError) -> News {
    let read = State(try await store.book(of: wedding))
    return state.withLock { state in
      let ids = Set((state.cameras[wedding] ?? []).map(\.id))
      let now = (read.cameras[wedding] ?? []).map(\.id)
      var news = News(
        added: now.filter { !ids.contains($0) }, removed: ids.subtracting(now).sorted())
      if let chosen = read.programs[wedding]?.flatMap({ $0 }),
        state.programs[wedding].flatMap({ $0 }) != chosen
      {
        news.chosen = chosen
      }
      state.replace(wedding, read)
      return news
    }
  }

  /// Returns when all that is written in the background is written.
  func settle() async { await errands.settle() }

  // MARK: Looking up

  /// A wedding's cameras, in the order of their addition.
  func cameras(of wedding: String) -> [CameraRecord] {
    state.withLock { $0.cameras[wedding] ?? [] }
  }

  /// The weddings that have a camera of this id.
  func weddings(withCamera id: String) -> [String] {
    state.withLock { state in
      state.cameras.filter { $0.value.contains { $0.id == id } }.map(\.key).sorted()
    }
  }

  /// Whether a wedding's program is a stream of its own.
  func hasProgram(_ wedding: String) -> Bool {
    state.withLock { $0.programs[wedding] != nil }
  }

  /// Whether a stream is one that its wedding's program can show.
  func isMember(_ key: StreamKey) -> Bool {
    key.camera == Claims.mainCamera
      || state.withLock { $0.cameras[key.wedding]?.contains { $0.id == key.camera } ?? false }
  }

  /// Whether a stream is one of a wedding with several, whose program can show it.
  func isOfProgram(_ key: StreamKey) -> Bool {
    state.withLock { state in
      state.programs[key.wedding] != nil
        && (key.camera == Claims.mainCamera
          || state.cameras[key.wedding]?.contains { $0.id == key.camera } ?? false)
    }
  }

  /// What a wedding's program is to show; nil where nobody has said so.
  func chosen(_ wedding: String) -> String? {
    state.withLock { $0.programs[wedding].flatMap { $0 } }
  }

  /// Which of a wedding's cameras goes before which.
  func priorities(of wedding: String) -> [String: Int] {
    state.withLock { state in
      Dictionary(
        (state.cameras[wedding] ?? []).map { ($0.id, $0.priority) },
        uniquingKeysWith: { first, _ in first })
    }
  }

  /// Why a stream key, good in itself, may not publish a stream.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - digest: of the stream key; made only where the camera has keys of its own.
  /// - Returns: words for a person; nil where it may.
  func refusal(_ key: StreamKey, _ digest: () -> [UInt8]) -> String? {
    if Claims.reservedCameras.contains(key.camera) {
      return "no camera can be called \(key.camera): addresses use that name"
    }
    let (keys, isRemoved) = state.withLock { ($0.keys[key], $0.removed.contains(key)) }
    if isRemoved { return "this camera was removed; ask for a new one, with a new stream key" }
    guard let keys, keys[digest()] == nil else { return nil }
    return "this stream key is none of this camera's; ask for a new one"
  }

  // MARK: Changes

  /// Adds a camera.
  ///
  /// - Throws: `.exists`, `.tooMany` or `.notKept`; nothing has changed then.
  func add(_ camera: NewCamera) async throws(CameraError) {
    let number = plans.number(ofPublisher: camera.plan)
    let limit = plans.cameras(in: number)
    let known = cameras(of: camera.wedding)
    guard !known.contains(where: { $0.id == camera.id }) else { throw .exists }
    // The main camera is there without being added.
    let all = Set(known.map(\.id) + [camera.id, Claims.mainCamera])
    guard all.count <= limit else {
      throw .tooMany(plan: plans.name(number) ?? "", limit: limit)
    }
    let record = CameraRecord(
      wedding: camera.wedding, id: camera.id, name: camera.name, priority: camera.priority,
      plan: camera.plan, created: now())
    let credential = camera.key.map { self.credential($0, of: camera.id, camera.wedding) }
    try await keep { [self, record, credential] () async throws(StoreError) in
      try await store.add(record, credential)
      added(record, credential)
    }
    logger.notice("camera.added", metadata: metadata(camera.id, camera.wedding))
  }

  private func added(_ camera: CameraRecord, _ credential: CredentialRecord?) {
    state.withLock { state in
      // It may be known from the cluster's events already.
      state.cameras[camera.wedding, default: []].removeAll { $0.id == camera.id }
      state.cameras[camera.wedding, default: []].append(camera)
      if state.programs[camera.wedding] == nil { state.programs[camera.wedding] = .some(nil) }
      guard let key = StreamKey(wedding: camera.wedding, camera: camera.id) else { return }
      state.removed.remove(key)
      if let credential { state.keys[key, default: [:]][credential.digest] = credential.expires }
    }
  }

  /// Adds a stream key to those of a camera that has keys of its own.
  ///
  /// - Throws: `.notKept`.
  func add(_ key: CameraKey, to camera: String, of wedding: String) async throws(CameraError) {
    guard let stream = StreamKey(wedding: wedding, camera: camera),
      state.withLock({ $0.keys[stream] != nil })
    else { return }
    let record = credential(key, of: camera, wedding)
    try await keep { [self] () async throws(StoreError) in
      try await store.add(record)
      state.withLock { state in
        // It may have been removed meanwhile.
        if state.keys[stream] != nil { state.keys[stream]?[record.digest] = record.expires }
      }
    }
  }

  /// Removes a camera; its keys are refused from now on.
  ///
  /// - Throws: `.unknown` or `.notKept`.
  func remove(_ camera: String, of wedding: String) async throws(CameraError) {
    guard cameras(of: wedding).contains(where: { $0.id == camera }),
      let key = StreamKey(wedding: wedding, camera: camera)
    else { throw .unknown }
    let time = now()
    try await keep { [self] () async throws(StoreError) in
      _ = try await store.remove(camera, of: wedding, now: time)
      state.withLock { state in
        state.cameras[wedding]?.removeAll { $0.id == camera }
        if state.cameras[wedding]?.isEmpty == true { state.cameras[wedding] = nil }
        state.keys[key] = nil
        state.removed.insert(key)
        if state.programs[wedding] == .some(camera) { state.programs[wedding] = .some(nil) }
      }
    }
    logger.notice("camera.removed", metadata: metadata(camera, wedding))
  }

  /// Remembers what a wedding's program is to show.
  ///
  /// - Throws: `.notKept`.
  func choose(_ camera: String, of wedding: String) async throws(CameraError) {
    let time = now()
    try await keep { [self] () async throws(StoreError) in
      try await store.choose(camera, of: wedding, now: time)
      state.withLock { $0.programs[wedding] = .some(camera) }
    }
  }

  // MARK: In the background

  /// A camera has begun or ended: it is remembered when.
  func noteLive(_ key: StreamKey) {
    let time = now()
    let isKnown = state.withLock { state in
      guard let index = state.cameras[key.wedding]?.firstIndex(where: { $0.id == key.camera })
      else { return false }
      state.cameras[key.wedding]?[index].lastLive = time
      return true
    }
    guard isKnown else { return }
    write { [store] () async throws(StoreError) in
      try await store.note(key.camera, of: key.wedding, live: time)
    }
  }

  /// A program shows another camera; one that it is never to leave again is remembered.
  func noteShown(_ change: ProgramChoice.Change, of wedding: String) {
    logger.notice(
      "camera.switched",
      metadata: metadata(change.to, wedding).merging(
        ["from": "\(change.from)", "reason": "\(change.reason.rawValue)"]) { $1 })
    guard change.reason == .lost, rule == .never else { return }
    state.withLock { $0.programs[wedding] = .some(change.to) }
    let time = now()
    write { [store] () async throws(StoreError) in
      try await store.choose(change.to, of: wedding, now: time)
    }
  }

  private func write(_ work: @escaping @Sendable () async throws(StoreError) -> Void) {
    errands.run { [self] in
      var failure: StoreError?
      do throws(StoreError) {
        try await waiting(atMost: patience, for: work)
      } catch {
        failure = error
      }
      let (failed, isNews) = (failure, note(isFailing: failure != nil))
      if isNews, let failed {
        logger.warning("cameras not kept", metadata: ["error": "\(failed)"])
      }
    }
  }

  /// Notes whether the store can be written; true where that is new.
  private func note(isFailing: Bool) -> Bool {
    state.withLock { state in
      defer { state.isFailing = isFailing }
      return state.isFailing != isFailing
    }
  }

  private func keep(
    _ work: @escaping @Sendable () async throws(StoreError) -> Void
  ) async throws(CameraError) {
    do throws(StoreError) {
      try await waiting(atMost: patience, for: work)
    } catch {
      throw .notKept(error)
    }
  }

  private func credential(
    _ key: CameraKey, of camera: String, _ wedding: String
  ) -> CredentialRecord {
    CredentialRecord(
      wedding: wedding, camera: camera, digest: key.digest, created: now(),
      expires: key.expires * 1_000)
  }

  private func metadata(_ camera: String, _ wedding: String) -> Logger.Metadata {
    ["wedding": "\(wedding)", "camera": "\(camera)"]
  }
}
