package import HLS

// How far viewers have a stream, for whoever goes on with it elsewhere.
extension LiveStream {
  /// After the last segment that viewers have been told of.
  var state: WindowState { renditions.source.window.state }

  /// The publisher that has begun is the one before, by way of an edge.
  ///
  /// - Parameter date: which date a time of its clock had on the node that had it; nil where that
  ///   isn't known.
  package func goOn(from date: PublisherDate?) { packager.goOn(from: date) }

  /// Tells the cluster how far the stream has come, and its relay how far edges have it: they are
  /// about to fetch what is new, and should this node be lost before they have, the next one makes
  /// it again.
  ///
  /// - Parameter before: the state before what is new.
  func tellProgress(_ before: WindowState) {
    var held: StreamLeasing.Progress?
    // Of the newest one: the one before may be another publisher's, by another clock.
    let date = packager.publisherDate
    if before.isResumed || date != nil {
      held = StreamLeasing.Progress(
        state: before, publisherEnd: packager.publisherEnd(of: before.nextSequence - 1),
        publisherDate: date)
    }
    outlet.tell(key, progress) { [onProgress, held] in
      if let held { onProgress?(held) }
    }
  }

  /// How far viewers have it.
  private var progress: StreamLeasing.Progress {
    let window = renditions.source.window
    return StreamLeasing.Progress(
      state: window.state,
      publisherEnd: packager.publisherEnd(of: window.state.nextSequence - 1),
      names: window.segments.suffix(8).map(\.name), broadcast: broadcast)
  }

  /// Which broadcast was on the air elsewhere, or in a process before this one, for whose publisher
  /// it waits.
  func expect(_ broadcast: Broadcast) { awaited = broadcast }

  /// Since when it has been on the air, and when last.
  var broadcast: Broadcast {
    if let awaited { return awaited }
    let began = meter.startedAtMilliseconds
    return Broadcast(
      began: began,
      last: hasPublisher ? StreamOutlet.wallClockMilliseconds : max(began, state.endDate))
  }

  /// How far viewers have it before its publisher's first message; nil where they have nothing.
  ///
  /// - Parameter inherited: how far another node has brought it.
  /// - Returns: the last number, and where its segment ends, where that is known.
  func progress(inherited: StreamLeasing.Progress?) -> StreamLeasing.Progress? {
    let own = progress
    guard own.state.isResumed else { return nil }
    return StreamLeasing.Progress(
      state: own.state, publisherEnd: own.publisherEnd ?? inherited?.publisherEnd, names: own.names)
  }
}
