import Synchronization

/// The body of a response that is on its way in: one writes it, any number read it meanwhile.
///
/// Its end is told apart from its failure: a reader never takes a body that broke off for a whole
/// one. Pieces are immutable and shared, so readers copy nothing. In one of two ways:
/// - *kept*: all of it stays, for those who come later and for the tiers;
/// - *passing*: one reader has it, and what that has read is let go. The writer is told to wait while
///   more than a bound is unread.
package final class FillBody: Sendable {
  /// What becomes of the pieces.
  package enum Keeping: Equatable, Sendable {
    case kept
    /// Unread bytes beyond which the writer waits.
    case passing(mostUnread: Int)
  }

  /// Where a body stands.
  package enum End: Equatable, Sendable {
    case open
    case complete
    /// Why it broke off, for the log.
    case failed(String)
  }

  /// What a reader gets.
  package enum Piece: Sendable {
    case bytes([UInt8])
    /// Nothing yet; the waiter is called once when there is.
    case pending
    case end
    case failed
  }

  /// Whether the writer may go on.
  package enum Pace: Equatable, Sendable { case goOn, wait }

  fileprivate struct State {
    var pieces: [[UInt8]] = []
    /// Pieces that were let go.
    var dropped = 0
    var bytes = 0
    var unread = 0
    var end = End.open
    var waiters: [UInt64: @Sendable () -> Void] = [:]
    var nextWaiter: UInt64 = 0
    /// Told when a writer that waits may go on.
    var resume: (@Sendable () -> Void)?
    var isWriterWaiting = false
  }

  private let state = Mutex(State())
  package let keeping: Keeping

  package init(_ keeping: Keeping = .kept) { self.keeping = keeping }

  // MARK: Writing

  /// Says how a writer that was told to wait is told to go on; called once, from any thread.
  package func onResume(_ resume: @escaping @Sendable () -> Void) {
    state.withLock { $0.resume = resume }
  }

  /// Adds a piece; ignored after the end.
  package func append(_ piece: [UInt8]) -> Pace {
    guard !piece.isEmpty else { return .goOn }
    let (waiters, pace) = state.withLock { state in
      guard state.end == .open else { return ([UInt64: @Sendable () -> Void](), Pace.goOn) }
      state.pieces.append(piece)
      state.bytes += piece.count
      state.unread += piece.count
      var pace = Pace.goOn
      if case .passing(let most) = keeping, state.unread > most {
        pace = .wait
        state.isWriterWaiting = true
      }
      return (state.takeWaiters(), pace)
    }
    for waiter in waiters.values { waiter() }
    return pace
  }

  /// All of it has come.
  package func complete() { end(.complete) }

  /// No more of it comes, though it isn't whole.
  package func fail(_ reason: String) { end(.failed(reason)) }

  private func end(_ end: End) {
    let waiters = state.withLock { state in
      guard state.end == .open else { return [UInt64: @Sendable () -> Void]() }
      state.end = end
      return state.takeWaiters()
    }
    for waiter in waiters.values { waiter() }
  }

  /// Where it stands, and how many bytes have come.
  package var progress: (end: End, bytes: Int) { state.withLock { ($0.end, $0.bytes) } }

  /// The whole body in one piece; nil while it isn't whole, and where it wasn't kept.
  package func whole() -> [UInt8]? {
    let pieces: [[UInt8]]? = state.withLock { state in
      state.end == .complete && keeping == .kept ? state.pieces : nil
    }
    guard let pieces else { return nil }
    if pieces.count == 1 { return pieces[0] }
    var whole: [UInt8] = []
    whole.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
    for piece in pieces { whole += piece }
    return whole
  }

  // MARK: Reading

  /// Reads on, or waits.
  ///
  /// - Parameters:
  ///   - position: of the reader, moved behind what it gets.
  ///   - wake: called once, from any thread, when there is more, after `.pending`.
  /// - Returns: the next piece; what comes of a body that failed is handed out before `.failed`.
  package func read(
    _ position: inout FillPosition, wake: @escaping @Sendable () -> Void
  ) -> Piece {
    let (piece, resume) = state.withLock { state -> (Piece, (@Sendable () -> Void)?) in
      let index = position.piece - state.dropped
      guard index >= 0 else { return (.failed, nil) }
      if index < state.pieces.count {
        let piece = state.pieces[index]
        position.piece += 1
        position.waiter = nil
        guard case .passing(let most) = keeping else { return (.bytes(piece), nil) }
        state.pieces.removeFirst(index + 1)
        state.dropped += index + 1
        state.unread -= piece.count
        guard state.isWriterWaiting, state.unread <= most / 2 else { return (.bytes(piece), nil) }
        state.isWriterWaiting = false
        return (.bytes(piece), state.resume)
      }
      switch state.end {
      case .complete: return (.end, nil)
      case .failed: return (.failed, nil)
      case .open:
        let waiter = position.waiter ?? state.nextWaiter
        if position.waiter == nil { state.nextWaiter += 1 }
        position.waiter = waiter
        state.waiters[waiter] = wake
        return (.pending, nil)
      }
    }
    resume?()
    return piece
  }

  /// A reader has gone: nothing is told to it any more.
  package func leave(_ position: inout FillPosition) {
    guard let waiter = position.waiter else { return }
    position.waiter = nil
    state.withLock { _ = $0.waiters.removeValue(forKey: waiter) }
  }
}

/// How far a reader of a `FillBody` has got.
package struct FillPosition: Sendable {
  var piece = 0
  /// The number under which it waits.
  var waiter: UInt64?

  package init() {}
}

extension FillBody.State {
  fileprivate mutating func takeWaiters() -> [UInt64: @Sendable () -> Void] {
    defer { waiters = [:] }
    return waiters
  }
}
