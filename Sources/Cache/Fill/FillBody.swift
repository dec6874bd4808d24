import Bytes
import Synchronization

/// The body of a response that is on its way in: one writes it, any number read it meanwhile.
///
/// Its end is told apart from its failure: a reader never takes a body that broke off for a whole
/// one. Pieces are immutable and shared, so readers copy nothing. In one of two ways:
/// - *kept*: all of it stays, for those who come later and for the tiers;
/// - *passing*: what all its readers have read is let go, and nobody can join who would have missed
///   something. The writer is told to wait while the slowest has more than a bound unread, and to
///   stop when the last has gone.
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
    /// A range of an array, not empty; the array's other bytes are nobody's business.
    case bytes([UInt8], Range<Int>)
    /// Nothing yet; the reader is woken once when there is.
    case pending
    case end
    case failed
  }

  /// Whether the writer may go on.
  package enum Pace: Equatable, Sendable { case goOn, wait }

  /// What a passing body tells its writer.
  package enum Advice: Equatable, Sendable {
    /// The readers have caught up.
    case goOn
    /// Nobody reads it any more.
    case stop
  }

  package typealias Wake = @Sendable () -> Void

  private let state: Mutex<FillState>
  /// Where a body stays whose length is known.
  private let buffer: FillBuffer?
  /// What it takes of what all may; nil where nobody counts it.
  private let share: FillShare?

  /// Makes an empty body.
  ///
  /// - Parameters:
  ///   - keeping: what becomes of it.
  ///   - length: how long it will be, where that is known: what is kept then has its place from the
  ///     start, and has failed with more or fewer bytes.
  ///   - share: of the memory that is for bodies, which it holds as long as anybody reads it.
  ///   - pace: at which it has to come while nobody reads it; nil where it may take its time.
  package init(
    _ keeping: Keeping = .kept, length: Int? = nil, share: FillShare? = nil,
    pace: UnreadPace.Rule? = nil
  ) {
    self.share = share
    let buffer = keeping == .kept ? length.flatMap { FillBuffer(length: $0) } : nil
    self.buffer = buffer
    state = Mutex(FillState(keeping, in: buffer, pace: pace))
  }

  // MARK: Writing

  /// Says whom to tell that the writer may go on, or has to stop; called from any thread.
  package func onAdvice(_ advise: @escaping @Sendable (Advice) -> Void) {
    state.withLock { $0.advise = advise }
  }

  /// Whether it may become so long and be kept, as far as memory goes.
  ///
  /// - Parameters:
  ///   - end: its bytes.
  ///   - isForced: whether it is even where there is none left.
  /// - Returns: true also where nobody counts it.
  package func mayGrow(to end: Int, isForced: Bool) -> Bool {
    share?.grow(to: end, isForced: isForced) ?? true
  }

  /// Whether who comes now misses nothing: none of it was let go, and it wasn't given up.
  package var isAllThere: Bool { state.withLock { $0.isAllThere } }

  /// Adds a piece; ignored after the end.
  ///
  /// By one thread at a time. Readers that come find it, and those that wait are told by
  /// `wakeReaders`, once of many pieces.
  package func append(_ piece: borrowing Span<UInt8>) -> Pace {
    guard piece.count > 0 else { return .goOn }
    guard let buffer else {
      let copy = [UInt8](copying: piece)
      return state.withLock { $0.append(copy) }
    }
    // Copied without the lock, for which all its readers would have to wait.
    guard let place = state.withLock({ $0.end == .open ? $0.bytes : nil }) else { return .goOn }
    guard buffer.write(piece, at: place) else {
      end(.failed("it is longer than was said"))
      return .goOn
    }
    let end = place + piece.count
    state.withLock { $0.fill(to: end) }
    return .goOn
  }

  /// Tells all who wait that there is something, if there is.
  package func wakeReaders() {
    for wake in state.withLock({ $0.wakesOfReaders() }) { wake() }
  }

  /// From now on it only passes: it has become longer than what can be kept.
  ///
  /// One whose length was said at the start goes on as it is. Where all its readers have left the
  /// writer is told to stop.
  ///
  /// - Parameter mostUnread: bytes beyond which the writer waits.
  package func stopKeeping(mostUnread: Int) {
    let advise = state.withLock { $0.stopKeeping(mostUnread: mostUnread) }
    advise?(.stop)
  }

  /// All of it has come.
  package func complete() { end(.complete) }

  /// No more of it comes, though it isn't whole.
  package func fail(_ reason: String) { end(.failed(reason)) }

  /// More has come: no more does from now on where nobody reads it or waits for its end, and it
  /// comes too slowly for that.
  ///
  /// - Parameters:
  ///   - reason: for the log.
  ///   - now: by the clock.
  /// - Returns: whether it has ended by this.
  package func abandonIfSlow(_ reason: String, at now: ContinuousClock.Instant = .now) -> Bool {
    state.withLock { $0.abandonIfSlow(reason, at: now) }
  }

  private func end(_ end: End) {
    let wakes = state.withLock { $0.end(end) }
    for wake in wakes { wake() }
  }

  /// Where it stands, and how many bytes have come.
  package var progress: (end: End, bytes: Int) { state.withLock { ($0.end, $0.bytes) } }

  /// Calls once when no more of it comes, whole or not: at once where that is so already.
  ///
  /// - Parameter wake: called from any thread.
  package func whenEnded(_ wake: @escaping Wake) {
    if !state.withLock({ $0.wakeAtEnd(wake) }) { wake() }
  }

  /// How many read it.
  package var readers: Int { state.withLock { $0.readerCount } }

  /// The whole body in one piece; nil while it isn't whole, and where it wasn't kept.
  package func whole() -> [UInt8]? {
    let pieces: [[UInt8]]? = state.withLock { state in
      guard state.end == .complete, state.keeping == .kept else { return nil }
      return state.buffer.map { [$0.bytes] } ?? state.pieces
    }
    guard let pieces else { return nil }
    if pieces.count == 1 { return pieces[0] }
    var whole: [UInt8] = []
    whole.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
    for piece in pieces { whole += piece }
    return whole
  }

  // MARK: Reading

  /// Begins to read at the first byte.
  ///
  /// - Returns: nil where that is gone, and where no more comes as nobody was there.
  package func join() -> FillReader? {
    guard let number = state.withLock({ $0.join() }) else { return nil }
    return FillReader(body: self, number: number)
  }

  func read(_ number: Int, wake: @escaping Wake) -> Piece {
    let (piece, advise) = state.withLock { $0.read(number, wake: wake) }
    advise?(.goOn)
    return piece
  }

  func leave(_ number: Int) {
    let (advise, advice) = state.withLock { $0.leave(number) }
    if let advice { advise?(advice) }
  }
}

/// One who reads a `FillBody`, from its first byte on; whoever drops it has left.
package final class FillReader: Sendable {
  private let body: FillBody
  private let number: Int

  init(body: FillBody, number: Int) {
    self.body = body
    self.number = number
  }

  deinit { body.leave(number) }

  /// Reads on, or waits.
  ///
  /// - Parameter wake: called once, from any thread, when there is more, after `.pending`; a later
  ///   one takes its place.
  /// - Returns: the next piece; what has come of a body that failed is handed out before `.failed`.
  package func read(wake: @escaping FillBody.Wake) -> FillBody.Piece {
    body.read(number, wake: wake)
  }
}
