package import EventLoop
package import Media

/// The streams that players on this loop watch, and the sources that live on it.
package final class RelayTable {
  private let loop: Loop
  private let directory: RelayDirectory
  private let configuration: IngestConfiguration
  private var groups: [StreamKey: RelayGroup] = [:]
  private var sources: [StreamKey: RelaySource] = [:]

  package init(loop: Loop, directory: RelayDirectory, configuration: IngestConfiguration) {
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
    let group = groups[key] ?? RelayGroup(configuration)
    let isFirst = groups[key] == nil
    groups[key] = group
    group.add(player)
    if isFirst, let home = directory.home(of: key) { subscribe(key, at: home) }
  }

  func remove(_ player: RTMPPlayer, from key: StreamKey) {
    guard let group = groups[key] else { return }
    group.remove(player)
    guard group.players.isEmpty else { return }
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
    groups[key]?.deliver(event)
  }

  private func subscribe(_ key: StreamKey, at home: LoopMailbox) {
    let me = loop.mailbox
    home.submit { loop in loop.local(RelayTable.self)?.sources[key]?.add(me) }
  }
}
