package import HTTPServer
package import Media

/// What one loop of a node without streams of its own does about those of others.
///
/// A struct of closures, as a class to be subclassed would make all that it speaks of public.
package struct RemoteStreams {
  /// What becomes of a wish to watch a stream that isn't in the table.
  package enum Following: Sendable {
    /// Soon it is there, or its waiters are refused; this is what the table has until then.
    case begun(StreamSnapshot)
    /// It is known that nobody has it.
    case absent
    /// There is nobody to ask, so it may be there or not.
    case unknown
    /// This node follows as many as it may.
    case full
  }

  /// Somebody who may watch it wants to.
  ///
  /// The camera is `program` where the wedding's own address was asked for.
  let follow: (StreamKey) -> Following
  /// Answers viewers who may have a segment.
  let segments: RequestHandler
  /// Answers everything else under `/hls/`: recordings.
  let others: RequestHandler

  package init(
    follow: @escaping (StreamKey) -> Following, segments: RequestHandler,
    others: RequestHandler
  ) {
    self.follow = follow
    self.segments = segments
    self.others = others
  }
}
