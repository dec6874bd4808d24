/// What a `FillBody` has, and who reads how much of it; under its lock.
struct FillState {
  private struct Reader {
    /// The piece that it reads next, counted from the first one ever.
    var next: Int
    /// Bytes before it.
    var read: Int
  }

  private(set) var keeping: FillBody.Keeping
  private(set) var pieces: [[UInt8]] = []
  /// All of it, in the place of pieces, where its length is known.
  let buffer: FillBuffer?
  /// Pieces that were let go.
  private var dropped = 0
  /// Its writer has been told to stop, or was left by all for too long: no more of it comes.
  private var isGivenUp = false
  private(set) var bytes = 0
  private(set) var end = FillBody.End.open
  private var readers: [Int: Reader] = [:]
  private var nextReader = 0
  /// Whom to wake of the readers that have all there is.
  private var sleeping: [Int: FillBody.Wake] = [:]
  var advise: (@Sendable (FillBody.Advice) -> Void)?
  /// Who wants to know of the end alone.
  private var waiting: [FillBody.Wake] = []
  private var isWriterWaiting = false
  private var pace: UnreadPace?

  init(_ keeping: FillBody.Keeping, in buffer: FillBuffer?, pace: UnreadPace.Rule?) {
    self.pace = pace.map { UnreadPace($0) }
    self.keeping = keeping
    self.buffer = buffer
  }

  var readerCount: Int { readers.count }
  /// Whether who comes now misses nothing of it.
  var isAllThere: Bool { dropped == 0 && !isGivenUp }

  private var unread: Int {
    bytes - (readers.values.lazy.map(\.read).min() ?? 0)
  }

  // MARK: Writing

  /// The buffer is filled up to `end`.
  mutating func fill(to end: Int) {
    if self.end == .open { bytes = end }
  }

  /// Adds a piece, where there is no buffer.
  mutating func append(_ piece: [UInt8]) -> FillBody.Pace {
    guard end == .open else { return .goOn }
    pieces.append(piece)
    bytes += piece.count
    if case .passing(let most) = keeping, unread > most { isWriterWaiting = true }
    return isWriterWaiting ? .wait : .goOn
  }

  /// From now on it only passes.
  ///
  /// - Returns: who is to be told to stop: those who read it have all left. Who has asked for it
  ///   first may yet come.
  mutating func stopKeeping(mostUnread: Int) -> (@Sendable (FillBody.Advice) -> Void)? {
    guard keeping == .kept, buffer == nil else { return nil }
    keeping = .passing(mostUnread: mostUnread)
    drop()
    guard isUnread, nextReader > 0 else { return nil }
    isGivenUp = true
    return advise
  }

  mutating func end(_ end: FillBody.End) -> [FillBody.Wake] {
    guard self.end == .open else { return [] }
    let isShort = end == .complete && buffer.map { bytes < $0.bytes.count } ?? false
    self.end = isShort ? .failed("it is shorter than was said") : end
    return takeWakes()
  }

  /// Whether it is open, and nobody wants anything of it.
  private var isUnread: Bool { end == .open && readers.isEmpty && waiting.isEmpty }

  mutating func abandonIfSlow(_ reason: String, at now: ContinuousClock.Instant) -> Bool {
    let come = isUnread ? bytes : nil
    guard pace?.isTooSlow(come, at: now) == true else { return false }
    end = .failed(reason)
    isGivenUp = true
    return true
  }

  private mutating func takeWakes() -> [FillBody.Wake] {
    var wakes: [FillBody.Wake] = []
    if end != .open { swap(&wakes, &waiting) }
    wakes += wakesOfReaders()
    return wakes
  }

  /// Whom to wake, as there is more.
  mutating func wakesOfReaders() -> [FillBody.Wake] {
    defer { sleeping.removeAll(keepingCapacity: true) }
    return Array(sleeping.values)
  }

  /// Notes who is to be woken at the end.
  ///
  /// - Returns: false where that has come.
  mutating func wakeAtEnd(_ wake: @escaping FillBody.Wake) -> Bool {
    guard end == .open else { return false }
    waiting.append(wake)
    return true
  }

  // MARK: Reading

  mutating func join() -> Int? {
    guard isAllThere else { return nil }
    defer { nextReader += 1 }
    readers[nextReader] = Reader(next: 0, read: 0)
    return nextReader
  }

  mutating func read(
    _ number: Int, wake: @escaping FillBody.Wake
  ) -> (FillBody.Piece, advise: (@Sendable (FillBody.Advice) -> Void)?) {
    guard var reader = readers[number] else { return (.failed, nil) }
    if let buffer, reader.read < bytes {
      let range = reader.read..<bytes
      reader.read = bytes
      readers[number] = reader
      return (.bytes(buffer.bytes, range), nil)
    }
    if reader.next - dropped < pieces.count {
      let piece = pieces[reader.next - dropped]
      reader.next += 1
      reader.read += piece.count
      readers[number] = reader
      drop()
      return (.bytes(piece, 0..<piece.count), goOn())
    }
    switch end {
    case .complete: return (.end, nil)
    case .failed: return (.failed, nil)
    case .open:
      sleeping[number] = wake
      return (.pending, nil)
    }
  }

  /// A reader has gone.
  ///
  /// - Returns: what the writer is to be told, if anything.
  mutating func leave(
    _ number: Int
  ) -> (advise: (@Sendable (FillBody.Advice) -> Void)?, advice: FillBody.Advice?) {
    readers[number] = nil
    sleeping[number] = nil
    guard case .passing = keeping, end == .open else { return (nil, nil) }
    if readers.isEmpty {
      isGivenUp = true
      return (advise, .stop)
    }
    drop()
    return goOn().map { ($0, .goOn) } ?? (nil, nil)
  }

  /// Whom to tell that the readers have caught up, if the writer waits for it.
  private mutating func goOn() -> (@Sendable (FillBody.Advice) -> Void)? {
    guard isWriterWaiting, case .passing(let most) = keeping, unread <= most / 2 else {
      return nil
    }
    isWriterWaiting = false
    return advise
  }

  /// Lets go of what everybody has read, where it only passes.
  private mutating func drop() {
    guard case .passing = keeping, let least = readers.values.lazy.map(\.next).min(),
      least > dropped
    else { return }
    pieces.removeFirst(least - dropped)
    dropped = least
  }
}
