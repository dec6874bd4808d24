import Access
package import ControlAPI
import Media

/// The node's streams as the REST API asks about them.
package struct OriginStreams: StreamDirectory {
  private let board: StreamBoard
  private let collector: StatusCollector
  private let programs: Programs

  package init(board: StreamBoard, programs: Programs, collector: StatusCollector) {
    self.programs = programs
    self.board = board
    self.collector = collector
  }

  package func stream(wedding: String, camera: String) async -> StreamInfo? {
    if camera == Program.name {
      return await program(wedding)
    }
    guard let key = StreamKey(wedding: wedding, camera: camera) else { return nil }
    let own = board[key]
    // Until it has a segment here, viewers have what a process before this one has made.
    var found = own
    if own?.isListed != true { found = await collector.elderStream(key) }
    // A playlist without a segment is not there yet, and a player that asks for it would fail.
    guard let status = found, status.isListed else { return nil }
    let isOver = status.state == .ended && (own?.state ?? .ended) == .ended
    return StreamInfo(
      state: isOver ? .ended : .live,
      started: status.startedAtMilliseconds / 1_000,
      viewers: await collector.viewers(of: key),
      qualities: status.renditions)
  }

  /// What a wedding's viewers see; the main camera's stream where there is no other.
  private func program(_ wedding: String) async -> StreamInfo? {
    guard let key = StreamKey(wedding: wedding, camera: Program.name) else { return nil }
    let own = programs.status(of: wedding)
    if let own, own.segments > 0 {
      return StreamInfo(
        state: own.isEnded ? .ended : .live, started: own.startedAtMilliseconds / 1_000,
        viewers: await collector.viewers(of: key), qualities: own.qualities)
    }
    // Until it shows something here, viewers have what a process before this one has shown.
    if let elder = await collector.elders?.program(wedding), elder.isLive, elder.segments > 0,
      elder.camera != Program.name,
      let shown = await stream(wedding: wedding, camera: elder.camera), shown.isLive
    {
      return StreamInfo(
        state: .live, started: elder.startedAtMilliseconds.map { $0 / 1_000 } ?? shown.started,
        viewers: await collector.viewers(of: key),
        qualities: shown.qualities)
    }
    return own == nil ? await stream(wedding: wedding, camera: Claims.mainCamera) : nil
  }
}

extension StreamStatus {
  /// Whether there is something of it to watch.
  fileprivate var isListed: Bool { playlist.map { $0.segments > 0 } ?? false }
}
