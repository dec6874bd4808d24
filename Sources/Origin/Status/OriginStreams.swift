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
    var found = board[key]
    if found == nil { found = await collector.elderStream(key) }
    guard let status = found else { return nil }
    // A playlist without a segment is not there yet, and a player that asks for it would fail.
    guard let playlist = status.playlist, playlist.segments > 0 else { return nil }
    return StreamInfo(
      state: status.state == .ended ? .ended : .live,
      started: status.startedAtMilliseconds / 1_000,
      viewers: await collector.viewers(of: key),
      qualities: status.renditions)
  }

  /// What a wedding's viewers see; the main camera's stream where there is no other.
  private func program(_ wedding: String) async -> StreamInfo? {
    guard let status = programs.status(of: wedding),
      let key = StreamKey(wedding: wedding, camera: Program.name)
    else { return await stream(wedding: wedding, camera: Claims.mainCamera) }
    guard status.segments > 0 else { return nil }
    return StreamInfo(
      state: status.isEnded ? .ended : .live, started: status.startedAtMilliseconds / 1_000,
      viewers: await collector.viewers(of: key), qualities: status.qualities)
  }
}
