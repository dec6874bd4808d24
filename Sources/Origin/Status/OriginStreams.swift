package import ControlAPI
import Media

/// The node's streams as the REST API asks about them.
package struct OriginStreams: StreamDirectory {
  private let board: StreamBoard
  private let collector: StatusCollector

  package init(board: StreamBoard, collector: StatusCollector) {
    self.board = board
    self.collector = collector
  }

  package func stream(wedding: String, camera: String) async -> StreamInfo? {
    guard let key = StreamKey(wedding: wedding, camera: camera), let status = board[key] else {
      return nil
    }
    // A playlist without a segment is not there yet, and a player that asks for it would fail.
    guard let playlist = status.playlist, playlist.segments > 0 else { return nil }
    return StreamInfo(
      state: status.state == .ended ? .ended : .live,
      started: status.startedAtMilliseconds / 1_000,
      viewers: await collector.viewers(of: key),
      qualities: status.renditions)
  }
}
