package import RTMP

/// Where a publisher's messages go once it is admitted.
///
/// Closures that are stored once for a publisher, since a class of another target could only be
/// subclassed if all it touches were public.
package struct PublishSink {
  package enum Kind: Sendable { case video, audio, data }

  /// Takes a message; called for each, in the order of arrival.
  package let receive: (Kind, Message) -> Void
  /// A turn that brought messages has ended.
  package let flush: () -> Void
  /// No more will come; called once.
  package let ended: (PublicationEnd) -> Void

  package init(
    receive: @escaping (Kind, Message) -> Void, flush: @escaping () -> Void,
    ended: @escaping (PublicationEnd) -> Void
  ) {
    self.receive = receive
    self.flush = flush
    self.ended = ended
  }
}

/// Who decides about what clients ask for; called on the connection's loop.
///
/// Each request is answered later or at once with the connection's `accept…` or `refuse…`.
package struct IngestHandlers {
  package let publish: (RTMPConnection, PublishRequest) -> Void
  package let play: (RTMPConnection, PlayRequest) -> Void
  /// The connection has ended, for this reason; its sink and its player have been told.
  package let closed: (RTMPConnection, String) -> Void

  package init(
    publish: @escaping (RTMPConnection, PublishRequest) -> Void,
    play: @escaping (RTMPConnection, PlayRequest) -> Void,
    closed: @escaping (RTMPConnection, String) -> Void
  ) {
    self.publish = publish
    self.play = play
    self.closed = closed
  }
}
