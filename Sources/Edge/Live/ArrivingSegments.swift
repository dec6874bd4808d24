import Cache

/// Segments that have been announced and are being fetched, before anybody is told of them.
///
/// Viewers hear of a segment when all of it is here: whatever becomes of its origin then, they get
/// it. A link that takes longer for a segment than the segment lasts is no reason to wait, or
/// viewers would fall behind more and more: they read what comes, as long as it comes.
struct ArrivingSegments {
  private enum Event: Sendable {
    /// An answer has come; by its place.
    case answered(Int, EdgeAnswer)
    /// No more of one comes.
    case ended(Int)
    /// So much time has gone by.
    case tick
  }

  private enum Arrival {
    case asked
    /// How much of it was there one tick ago.
    case coming(EdgeFill, bytes: Int)
    case here
  }

  private var arrivals: [Arrival]
  private var ticks = 0

  /// - Parameter count: how many segments.
  private init(_ count: Int) { arrivals = Array(repeating: .asked, count: count) }

  private var areHere: Bool {
    arrivals.allSatisfy { if case .here = $0 { true } else { false } }
  }

  /// Waits for segments.
  ///
  /// - Parameters:
  ///   - count: how many there are.
  ///   - patience: for the first bytes of each, and for more while it comes slowly.
  ///   - length: how long one lasts.
  ///   - ask: asks for one by its place, and tells once what has come of it.
  /// - Returns: whether all of them are here, or come too slowly to be waited for; false where one
  ///   doesn't come, and when the task is cancelled.
  static func wait(
    for count: Int, patience: Duration, length: Duration,
    ask: (Int, @escaping @Sendable (EdgeAnswer) -> Void) -> Void
  ) async -> Bool {
    guard count > 0 else { return true }
    let (events, event) = AsyncStream.makeStream(of: Event.self)
    for place in 0..<count { ask(place) { event.yield(.answered(place, $0)) } }
    let clock = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: patience)
        event.yield(.tick)
      }
    }
    defer { clock.cancel() }
    var segments = ArrivingSegments(count)
    // A tick is not all after the first bytes, so the second one is the first that tells.
    let slow = max(2, Int((length / patience).rounded(.up)))
    for await each in events {
      if let result = segments.take(each, slowAfter: slow, event) { return result }
    }
    return false
  }

  /// Takes what has happened.
  ///
  /// - Returns: what comes of all of them, where that is decided.
  private mutating func take(
    _ event: Event, slowAfter slow: Int, _ events: AsyncStream<Event>.Continuation
  ) -> Bool? {
    switch event {
    case .answered(let place, let answer):
      if let fill = answer.coming {
        arrivals[place] = .coming(fill, bytes: 0)
        fill.body.whenEnded { events.yield(.ended(place)) }
      } else if answer.isHere {
        arrivals[place] = .here
      } else {
        return false
      }
    case .ended(let place):
      guard case .coming(let fill, _) = arrivals[place], fill.body.progress.end == .complete else {
        return false
      }
      arrivals[place] = .here
    case .tick:
      ticks += 1
      guard let areGrowing = grow() else { return false }
      if ticks >= slow, areGrowing { return true }
    }
    return areHere ? true : nil
  }

  /// Notes how much has come.
  ///
  /// - Returns: whether there is more of each than a tick ago; nil where nothing has come of one.
  private mutating func grow() -> Bool? {
    var areGrowing = true
    for place in arrivals.indices {
      switch arrivals[place] {
      case .asked: return nil
      case .here: break
      case .coming(let fill, let before):
        let bytes = fill.body.progress.bytes
        if bytes <= before { areGrowing = false }
        arrivals[place] = .coming(fill, bytes: bytes)
      }
    }
    return areGrowing
  }
}
