/// Keeps `StreamNumbers`; SQLite in standalone, Redis in a cluster.
///
/// Every implementation passes the same suite of tests. All calls are for the control plane: a
/// loop starts a task, and takes the answer from its mailbox.
package protocol StreamNumberStore: Sendable {
  /// Starts a run of a stream: reserves a block, on disk when it returns.
  ///
  /// - Parameters:
  ///   - name: of the stream.
  ///   - now: milliseconds since 1970.
  /// - Returns: the numbers to use, in a new epoch; since when it has been on the air where the run
  ///   before was not over.
  /// - Throws: why nothing could be stored.
  func begin(_ name: StreamNumbers.Name, now: Int64) async throws(StoreError) -> StreamNumbers

  /// Keeps how far a run has got, and reserves a block more where half of one is used, on disk when
  /// it returns.
  ///
  /// A record that is gone is made anew: nobody else has begun, so the numbers are still the run's.
  ///
  /// - Parameters:
  ///   - numbers: of the run; its `next` and `lastPTS` as far as it has got.
  ///   - now: milliseconds since 1970.
  /// - Returns: the new limits, never lower than the old ones.
  /// - Throws: `.fenced` when another run has begun since.
  func extend(_ numbers: StreamNumbers, now: Int64) async throws(StoreError)
    -> StreamNumbers.Position

  /// Ends a run in order: the next one goes on at `numbers.next` and skips nothing.
  ///
  /// A record that is gone is made anew, as `extend` does.
  ///
  /// - Throws: `.fenced` when another run has begun since.
  func end(_ numbers: StreamNumbers, now: Int64) async throws(StoreError)

  /// What is stored: after a crash, `next` are the crashed run's limits.
  func numbers(_ name: StreamNumbers.Name) async throws(StoreError) -> StreamNumbers?

  /// The streams that were written since a time and are not over: begun, or half a block further,
  /// or their process has ended in order.
  ///
  /// - Parameters:
  ///   - time: milliseconds since 1970.
  ///   - most: how many are told.
  /// - Returns: the last ones first.
  /// - Throws: why it can't be read.
  func recent(
    since time: Int64, atMost most: Int
  ) async throws(StoreError) -> [StreamNumbers.Name]

  /// Forgets streams not written since a time.
  ///
  /// - Parameters:
  ///   - time: milliseconds since 1970.
  ///   - open: those that are running, and stay.
  /// - Returns: how many were forgotten.
  /// - Throws: why nothing could be forgotten.
  func forget(
    before time: Int64, keeping open: Set<StreamNumbers.Name>
  ) async throws(StoreError) -> Int
}

/// Why a record can't be read or written.
package enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A later run of the stream has begun; this one must stop publishing.
  case fenced(StreamNumbers.Name)
  /// The disk is full, or a quota is: retry when there is room.
  case full(String)
  /// Another process holds it for too long; a retry may help.
  case busy(String)
  /// It has not answered within this time: a disk that stalls. The call may still succeed.
  case stalled(Duration)
  /// The server that keeps it can't be reached; a retry may help. The call may have been done.
  case unreachable(String)
  /// The file is no database of ours, or damaged; only an operator can help.
  case damaged(String)
  /// Anything else, in the library's words.
  case failed(String)

  /// Whether the same call may succeed later.
  package var canRetry: Bool {
    switch self {
    case .full, .busy, .stalled, .unreachable: true
    case .fenced, .damaged, .failed: false
    }
  }

  package var description: String {
    switch self {
    case .fenced(let name): "another run of \(name) has begun"
    case .full(let words): "no room to write: \(words)"
    case .busy(let words): "busy: \(words)"
    case .stalled(let limit): "no answer within \(limit)"
    case .unreachable(let words): words
    case .damaged(let words): "damaged: \(words)"
    case .failed(let words): words
    }
  }
}
