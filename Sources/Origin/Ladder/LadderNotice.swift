import HLS
import Transcode

/// What an operator is told of a stream's ladder.
enum LadderNotice: Sendable {
  /// A worker runs.
  case started(processID: Int32)
  /// The publisher has gone, and so has the worker.
  case stopped
  /// A worker is gone and another one takes its place.
  case lost(String)
  /// Too many were lost: the stream goes on without its ladder for a while.
  case paused(String)
  /// A rung's segment has been made.
  case made(LadderAssembly.Origin)
  /// Another rendition has long stood in for a rung, or does so no more.
  case standIn(rung: String, StandIns.News)
  /// How the worker does.
  case report(LadderReport)
}
