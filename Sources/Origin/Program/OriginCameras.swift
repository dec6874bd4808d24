import Access
package import ControlAPI
package import EventLoop
import Events
import Media
package import Store

/// The cameras of the node's weddings as the REST API adds, removes and switches them.
package struct OriginCameras: CameraDirectory {
  private let node: OriginNode
  private let loops: [LoopMailbox]
  private let collector: StatusCollector
  private let home: @Sendable (String) async -> String?

  /// Makes a directory.
  ///
  /// - Parameters:
  ///   - node: whose weddings.
  ///   - loops: that publishers are on.
  ///   - collector: counts viewers.
  ///   - home: names the other node of the cluster that has a wedding's cameras; nil where none is
  ///     known to.
  package init(
    node: OriginNode, loops: [LoopMailbox], collector: StatusCollector,
    home: @escaping @Sendable (String) async -> String? = { _ in nil }
  ) {
    self.home = home
    self.node = node
    self.loops = loops
    self.collector = collector
  }

  private var cameras: WeddingCameras { node.cameras }

  package func cameras(of wedding: String) async -> CameraList {
    let status = node.programs.status(of: wedding)
    let elder = status == nil ? await elders?.program(wedding)?.camera : nil
    var list = CameraList(active: status?.active ?? elder ?? cameras.chosen(wedding))
    let known = cameras.cameras(of: wedding)
    let main = StreamKey(wedding: wedding)
    if !known.contains(where: { $0.id == Claims.mainCamera }), let main,
      let live = await stream(main)
    {
      list.cameras.append(
        CameraInfo(
          id: main.camera, name: "Main camera", status: live.state == .live ? .live : .lost,
          viewers: await collector.viewers(of: main)))
      if status == nil, elder == nil { list.active = main.camera }
    }
    for camera in known {
      guard let key = StreamKey(wedding: wedding, camera: camera.id) else { continue }
      let live = await stream(key)
      let wasLive = live != nil || camera.lastLive != nil
      list.cameras.append(
        CameraInfo(
          id: camera.id, name: camera.name,
          status: live?.state == .live ? .live : wasLive ? .lost : .waiting,
          priority: camera.priority,
          viewers: live == nil ? nil : await collector.viewers(of: key)))
    }
    if status != nil || elder != nil,
      let program = StreamKey(wedding: wedding, camera: Program.name)
    {
      list.viewers = await collector.viewers(of: program)
    } else if let main, await stream(main) != nil {
      list.viewers = await collector.viewers(of: main)
    }
    return list
  }

  private var elders: ElderHands? { collector.elders }

  /// A stream as it is here, or with a process before this one; nil where there is none.
  private func stream(_ key: StreamKey) async -> StreamStatus? {
    let own = node.board[key]
    guard own?.state != .live, let elders else { return own }
    return await elders.stream(key.wedding, key.camera) ?? own
  }

  /// What has changed here is to change with the processes before this one: they have read it, too,
  /// when this returns, or do so soon (`SharedRecords`).
  @discardableResult
  private func tellElders(_ wedding: String) async -> ElderAnswer.Refusal? {
    await elders?.done(.refreshCameras(wedding: wedding)).refusal
  }

  package func isKnown(_ camera: String, of wedding: String) async -> Bool {
    guard let key = StreamKey(wedding: wedding, camera: camera) else { return false }
    if cameras.isMember(key) { return true }
    if await stream(key) != nil { return true }
    // Another node may have added it just now.
    do throws(StoreError) {
      try await refresh(wedding)
    } catch {
      return true
    }
    return cameras.isMember(key)
  }

  package func weddings(withCamera id: String) -> [String] { cameras.weddings(withCamera: id) }

  package func add(_ camera: NewCamera) async throws(CameraError) {
    await cameras.turns.enter(camera.wedding)
    defer { cameras.turns.leave(camera.wedding) }
    try await cameras.add(camera)
    await open(camera.wedding)
    await tellElders(camera.wedding)
    node.events.publish(
      Event(
        .cameraAdded, wedding: camera.wedding, camera: camera.id,
        data: ["camera_id": .text(camera.id), "camera_name": .text(camera.name)]))
  }

  package func add(
    _ key: CameraKey, to camera: String, of wedding: String
  ) async throws(CameraError) {
    try await cameras.add(key, to: camera, of: wedding)
    await tellElders(wedding)
  }

  package func remove(_ camera: String, of wedding: String) async throws(CameraError) {
    await cameras.turns.enter(wedding)
    defer { cameras.turns.leave(wedding) }
    let name = cameras.cameras(of: wedding).first { $0.id == camera }?.name ?? camera
    try await cameras.remove(camera, of: wedding)
    await drop(camera, of: wedding)
    await tellElders(wedding)
    node.events.publish(
      Event(
        .cameraRemoved, wedding: wedding, camera: camera,
        data: ["camera_id": .text(camera), "camera_name": .text(name)]))
  }

  /// A wedding has a camera more: it has a program from now on.
  private func open(_ wedding: String) async {
    await node.door.split(wedding)
    let priorities = cameras.priorities(of: wedding)
    _ = await node.programs.run(wedding) { $0.set(priorities: priorities) }
  }

  /// A camera was removed: whoever publishes it is sent away.
  private func drop(_ camera: String, of wedding: String) async {
    // The program goes on with another camera before this one's picture stops.
    _ = await node.programs.run(wedding) { $0.remove(camera) }
    guard let key = StreamKey(wedding: wedding, camera: camera) else { return }
    let selection = StreamControl.Selection(kind: .publisher, key: key)
    _ = await loops.total { loop in
      loop.local(OriginLoop.self)?.drop(selection, because: "this camera was removed") ?? 0
    }
  }

  // MARK: In a cluster

  /// Takes up what another node has changed of a wedding; nobody is told of it once more.
  ///
  /// - Parameters:
  ///   - wedding: whose cameras.
  ///   - isDecided: whether what its program is to show was chosen by a process of this node, which
  ///     knows what is live in all of them: it is shown once it is live, wherever that is.
  /// - Throws: why it can't be read.
  package func refresh(_ wedding: String, isDecided: Bool = false) async throws(StoreError) {
    await cameras.turns.enter(wedding)
    defer { cameras.turns.leave(wedding) }
    let news = try await cameras.refresh(wedding)
    if !news.added.isEmpty { await open(wedding) }
    for camera in news.removed { await drop(camera, of: wedding) }
    guard let camera = news.chosen else { return }
    var isShowable = isDecided
    if !isShowable { isShowable = await self.isShowable(camera, of: wedding) }
    if isShowable {
      _ = await node.programs.run(wedding) { $0.choose(camera) }
    }
  }

  /// Takes up what other nodes, or other processes of this one, have changed of any wedding.
  ///
  /// - Parameter isDecided: as for one wedding.
  /// - Throws: why it can't be read.
  package func refresh(isDecided: Bool = false) async throws(StoreError) {
    for wedding in try await cameras.outdated() {
      try await refresh(wedding, isDecided: isDecided)
    }
  }

  /// Whether a program can be told to show a camera: a live program shows nothing that isn't live.
  private func isShowable(_ camera: String, of wedding: String) async -> Bool {
    let isLive = StreamKey(wedding: wedding, camera: camera).map {
      node.board[$0]?.state == .live
    }
    if isLive == true { return true }
    // A program shows those of the processes before this one, too.
    if let key = StreamKey(wedding: wedding, camera: camera), let elders,
      elders.book.isLive(key)
    {
      return true
    }
    if let own = node.programs.status(of: wedding) { return !own.isLive }
    // The process before this one has the program, with the cameras that are there.
    guard let elders, await elders.program(wedding)?.isLive == true else { return true }
    return await elders.stream(wedding, camera)?.state == .live
  }

  /// Whether any camera of a wedding is live here.
  private func isAnyLive(_ wedding: String) -> Bool {
    ([Claims.mainCamera] + cameras.cameras(of: wedding).map(\.id)).contains { camera in
      StreamKey(wedding: wedding, camera: camera).map { node.board[$0]?.state == .live } ?? false
    }
  }

  package func show(
    _ camera: String, of wedding: String
  ) async throws(CameraError) -> CameraChoice {
    await cameras.turns.enter(wedding)
    defer { cameras.turns.leave(wedding) }
    let isKnown =
      camera == Claims.mainCamera
      || cameras.cameras(of: wedding).contains { $0.id == camera }
    guard isKnown, cameras.hasProgram(wedding) || camera == Claims.mainCamera else {
      throw .unknown
    }
    let status = node.programs.status(of: wedding)
    let elder = status == nil ? await elders?.program(wedding)?.camera : nil
    let previous = status?.active ?? elder ?? cameras.chosen(wedding)
    let stream: StreamStatus? =
      if let key = StreamKey(wedding: wedding, camera: camera) { await stream(key) } else { nil }
    let isLive = stream?.state == .live
    // Of what it hasn't got this node would say that nothing of it is live.
    if status == nil, elder == nil, !isLive, !isAnyLive(wedding), let other = await home(wedding) {
      throw .elsewhere(node: other)
    }
    guard cameras.hasProgram(wedding) else {
      // Its main camera is the program, now or with its first segment.
      return CameraChoice(previous: camera, isLive: isLive, isKnown: stream != nil)
    }
    // One that has a publisher is shown with its first segment.
    guard await isShowable(camera, of: wedding) else { throw .notLive }
    try await cameras.choose(camera, of: wedding)
    _ = await node.programs.run(wedding) { $0.choose(camera) }
    if let refusal = await tellElders(wedding) { throw .notKept(.failed(refusal.message)) }
    return CameraChoice(previous: previous, isLive: isLive)
  }

  package func refusal(of digest: [UInt8], camera: String, wedding: String) -> String? {
    StreamKey(wedding: wedding, camera: camera).flatMap { key in
      cameras.refusal(key) { digest }
    }
  }
}
