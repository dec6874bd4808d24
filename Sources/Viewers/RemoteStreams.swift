package import HTTPServer
package import Media

/// What one loop of a node without streams of its own does about those of others.
///
/// A struct of closures, as a class to be subclassed would make all that it speaks of public.
package struct RemoteStreams {
  /// Somebody wants to watch a stream that isn't in the table: soon it is, or its waiters are refused.
  ///
  /// The camera is `program` where the wedding's own address was asked for. Returns what the table has
  /// until then; nil where it is known that nobody has it.
  let follow: (StreamKey) -> StreamSnapshot?
  /// Answers viewers who may have a segment.
  let segments: RequestHandler
  /// Answers everything else under `/hls/`: recordings.
  let others: RequestHandler

  package init(
    follow: @escaping (StreamKey) -> StreamSnapshot?, segments: RequestHandler,
    others: RequestHandler
  ) {
    self.follow = follow
    self.segments = segments
    self.others = others
  }
}
