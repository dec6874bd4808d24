package import EventLoop
package import Media

/// The streams that players on this loop watch, and the sources that live on it.
package final class RelayTable {
  private let loop: Loop
  private let directory: RelayDirectory
  private let configuration: IngestConfiguration
  private var groups: [StreamKey: RelayGroup] = [:]
  private var sources: [StreamKey: RelaySource] = [:]
  /// Programs that have players here, and the camera that each shows.
  private var programs: [StreamKey: (group: RelayGroup, camera: StreamKey)] = [:]
  private let count: ((StreamKey) -> PlayerCount)?

  /// Makes a table without streams.
  ///
  /// - Parameters:
  ///   - loop: whose.
  ///   - directory: of all loops' sources.
  ///   - configuration: of players.
  ///   - count: gives out what a stream's players are counted by; nil where nobody counts.
  package init(
    loop: Loop, directory: RelayDirectory, configuration: IngestConfiguration,
    count: ((StreamKey) -> PlayerCount)? = nil
  ) {
    self.count = count
    self.loop = loop
    self.directory = directory
    self.configuration = configuration
  }

  // MARK: Sources

  /// A stream's publisher is now on this loop.
  package func attach(_ source: RelaySource) {
    sources[source.key] = source
    directory.set(source.key, loop.mailbox)
  }

  /// The source leaves this loop: to another one, or because the publisher is gone.
  package func detach(_ key: StreamKey, isOver: Bool) {
    guard let source = sources.removeValue(forKey: key) else { return }
    directory.remove(key, loop.mailbox)
    source.interrupt(isOver: isOver)
  }

  // MARK: Players

  /// Adds a player; it starts with the current group of pictures, or when there is one.
  func add(_ player: RTMPPlayer, to key: StreamKey) {
    guard let camera = directory.shown(by: key) else { return group(of: key).add(player) }
    let group: RelayGroup
    if let known = programs[key] {
      group = known.group
    } else {
      group = makeGroup(of: key, isProgram: true)
      programs[key] = (group, camera)
      self.group(of: camera).add(follower: group)
    }
    group.add(player)
  }

  func remove(_ player: RTMPPlayer, from key: StreamKey) {
    if let (group, camera) = programs[key] {
      group.remove(player)
      guard group.isEmpty else { return }
      programs[key] = nil
      groups[camera]?.remove(follower: group)
      return leave(camera)
    }
    groups[key]?.remove(player)
    leave(key)
  }

  /// A program shows another camera; its players here go on with that one's next keyframe.
  func show(_ camera: StreamKey, in program: StreamKey) {
    guard let (group, before) = programs[program], before != camera else { return }
    programs[program] = (group, camera)
    groups[before]?.remove(follower: group)
    self.group(of: camera).add(follower: group)
    leave(before)
  }

  /// The group of a camera, which the loop listens to from now on.
  private func group(of key: StreamKey) -> RelayGroup {
    if let group = groups[key] { return group }
    let group = makeGroup(of: key)
    groups[key] = group
    if let home = directory.home(of: key) { subscribe(key, at: home) }
    return group
  }

  private func makeGroup(of key: StreamKey, isProgram: Bool = false) -> RelayGroup {
    RelayGroup(
      configuration, isProgram: isProgram, count: count.map { count in { count(key) } })
  }

  /// Listens no longer to a camera that nobody here plays.
  private func leave(_ key: StreamKey) {
    guard let group = groups[key], group.isEmpty else { return }
    groups[key] = nil
    let me = loop.mailbox
    directory.home(of: key)?.submit { loop in
      loop.local(RelayTable.self)?.sources[key]?.remove(me)
    }
  }

  /// Some loop has got the source of a stream; players here that wait for it are connected.
  func sourceMoved(_ key: StreamKey, to home: LoopMailbox) {
    if groups[key] != nil { subscribe(key, at: home) }
  }

  func deliver(_ event: RelayEvent, of key: StreamKey) {
    (groups[key] ?? programs[key]?.group)?.deliver(event)
  }

  private func subscribe(_ key: StreamKey, at home: LoopMailbox) {
    let me = loop.mailbox
    home.submit { loop in loop.local(RelayTable.self)?.sources[key]?.add(me) }
  }
}
