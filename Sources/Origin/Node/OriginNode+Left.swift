import EventLoop
import Media

// Streams that were on the air when the process before this one was killed, or stopped.
extension OriginNode {
  /// How often those are looked at that somebody asked for when their end was due.
  private static let leftInterval = Duration.seconds(10)

  /// Tells the ends of streams whose publishers don't come back to this process; returns when it
  /// has told all, or its task is cancelled.
  ///
  /// That their publishers have gone is told as well: nobody knows whether it was before.
  ///
  /// - Parameter isOurs: whether no later process of the node sees to that.
  package func endLeft(while isOurs: () -> Bool) async {
    var left = await ledger.unended().filter { $0.camera != Program.name }
    guard !left.isEmpty else { return }
    // For as long a publisher goes on with the same broadcast.
    let streams = configuration.streams
    try? await Task.sleep(for: streams.reconnectWindow + streams.fragment * 2)
    while !left.isEmpty, !Task.isCancelled, isOurs() {
      var rest: [StreamKey] = []
      for key in left where !Task.isCancelled {
        let isDone = await ledger.endLeft(key) { await ended(key, isLeft: false) }
        if !isDone { rest.append(key) }
      }
      left = rest
      if !left.isEmpty { try? await Task.sleep(for: Self.leftInterval) }
    }
  }
}
