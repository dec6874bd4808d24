import Cache
import HTTPClient
import HTTPTypes
import Synchronization

/// One request for a slice: whatever the upstream says is held against what was asked for, and
/// against what is known of the object.
///
/// Called by the HTTP client's thread alone, one call at a time.
final class SliceFetch: ResponseReceiver {
  /// An answer that is no slice.
  enum Other: Sendable {
    /// It is what there is at the address now, or nothing; taken on by `adopt`.
    case response(HTTPResponse, SliceFetch)
    /// There is a slice, but no other could be told to be of the same bytes, or it may not be kept.
    case unfit
    /// The object isn't that long.
    case outside
  }

  private struct State {
    var stream: ResponseStream?
    var fill: SliceFill?
    /// Takes the rest of a response that is no slice.
    var heir: EdgeFetch?
    var isLanded = false
    var isStopped = false
  }

  private let number: Int
  private let slices: Slices
  private let known: SlicedObject?
  private let order: EdgeFetch.Order
  private let owner: EdgeSlices
  let use: UpstreamUse
  private let requestedAt: Int64
  private let state = Mutex(State())
  private let again: @Sendable (EdgeFailure) -> Void
  private let land: @Sendable (EdgeSlices.Answer) -> Void

  /// - Parameters:
  ///   - number: of the slice that is asked for.
  ///   - slices: that it is one of.
  ///   - known: what is known of the object.
  ///   - order: by which it was asked for.
  ///   - owner: keeps what comes.
  ///   - use: of the upstream that is asked.
  ///   - again: asks another one.
  ///   - land: called once, unless `again` is.
  init(
    _ number: Int, _ slices: Slices, known: SlicedObject?, _ order: EdgeFetch.Order,
    _ owner: EdgeSlices, _ use: UpstreamUse, again: @escaping @Sendable (EdgeFailure) -> Void,
    land: @escaping @Sendable (EdgeSlices.Answer) -> Void
  ) {
    self.number = number
    self.slices = slices
    self.known = known
    self.order = order
    self.owner = owner
    self.use = use
    self.again = again
    self.land = land
    requestedAt = owner.now
  }

  /// Knows the exchange, to end it.
  func began(_ stream: ResponseStream) {
    let (heir, isStopped) = state.withLock { state in
      state.stream = stream
      return (state.heir, state.isStopped)
    }
    heir?.began(stream)
    if isStopped { stream.cancel() }
  }

  private func stop() {
    let stream = state.withLock { state in
      state.isStopped = true
      return state.stream
    }
    stream?.cancel()
  }

  private func landOnce(_ answer: @autoclosure () -> EdgeSlices.Answer) {
    let isFirst = state.withLock { state in
      defer { state.isLanded = true }
      return !state.isLanded
    }
    if isFirst { land(answer()) }
  }

  // MARK: The response

  func received(head: HTTPResponse) {
    let now = owner.now
    if head.status.code == 304, let known {
      use.succeeded()
      state.withLock { $0.isStopped = true }
      return confirmed(head, known, at: now)
    }
    switch SliceReference.read(head, number: number, of: slices) {
    case .slice(let reference, _):
      use.succeeded()
      guard
        let object = SlicedObject.read(
          head, reference, of: order, in: owner.store, slices,
          rules: owner.configuration.rules, requestedAt: requestedAt, now: now,
          wall: owner.wall)
      else { return end(.unfit) }
      // A reader has the head of what is known: only its age may differ.
      owner.keep(object, insteadOf: known, for: order)
      let fill = owner.begin(
        number, of: object, from: use.upstream, since: order.since)
      state.withLock { $0.fill = fill }
      landOnce(.slice(object, fill))
    case .outside:
      use.succeeded()
      end(.outside)
    case .whole, .other:
      // An upstream that has trouble says nothing of the object.
      if head.status.code >= 500, known != nil {
        stop()
        return failed("the status \(head.status.code)", isLate: false)
      }
      use.succeeded()
      forget()
      landOnce(.other(.response(head, self)))
      if state.withLock({ $0.heir == nil }) { stop() }
    case .broken(let words):
      stop()
      failed(words, isLate: false)
    }
  }

  private func end(_ other: Other) {
    stop()
    forget()
    landOnce(.other(other))
  }

  private func forget() {
    if let known { owner.forget(known) }
  }

  /// Hands the rest of the response to another receiver; called while its head is handed out.
  func adopt(_ heir: EdgeFetch) {
    let stream = state.withLock { state in
      state.heir = heir
      return state.stream
    }
    if let stream { heir.began(stream) }
  }

  private func confirmed(_ head: HTTPResponse, _ known: SlicedObject, at now: Int64) {
    guard Validation.confirms(head.headerFields, known.response.headerFields) else {
      return end(.unfit)
    }
    var response = known.response
    response.headerFields = Validation.updated(
      known.response.headerFields, by: EdgeFields.kept(head, at: owner.wall).headerFields)
    let freshness = Freshness(
      response, requestedAt: requestedAt, receivedAt: now, wall: owner.wall,
      rules: owner.configuration.rules)
    let object = known.with(response, freshness: freshness)
    owner.keep(object, insteadOf: known, for: order)
    landOnce(.confirmed(object))
  }

  func received(body piece: borrowing Span<UInt8>) -> Bool {
    let (fill, heir, isStopped) = state.withLock { ($0.fill, $0.heir, $0.isStopped) }
    if let heir { return heir.received(body: piece) }
    guard let fill, !isStopped else { return true }
    if fill.append(piece, isOfWhole: false) == .tooMuch {
      stop()
      owner.end(fill, "the upstream sent more than it had said")
    }
    return true
  }

  func caughtUp() {
    let (fill, heir) = state.withLock { ($0.fill, $0.heir) }
    if let heir { return heir.caughtUp() }
    guard let fill else { return }
    fill.body.wakeReaders()
    guard fill.body.abandonIfSlow(EdgeFetch.abandoned) else { return }
    owner.count { $0.abandoned += 1 }
    stop()
    owner.end(fill, EdgeFetch.abandoned)
  }

  func ended(_ problem: HTTPClientError?) {
    let (fill, heir, isStopped) = state.withLock { ($0.fill, $0.heir, $0.isStopped) }
    if let heir { return heir.ended(problem) }
    if isStopped { return }
    guard let fill else {
      let problem = problem ?? HTTPClientError(.brokenResponse, "there is no response")
      if problem.fault != .ours { use.failed() }
      return failed(problem.message, isLate: problem.code == .timedOut)
    }
    if problem.map({ $0.fault != .ours }) ?? false { use.failed() }
    let words =
      problem?.description ?? (fill.isFull ? nil : "the upstream sent less than it had said")
    owner.end(fill, words)
  }

  /// Another upstream may know more.
  private func failed(_ words: String, isLate: Bool) {
    let isFirst = state.withLock { state in
      defer { state.isLanded = true }
      return !state.isLanded
    }
    guard isFirst else { return }
    owner.troubles.note(use.upstream, words)
    again(isLate ? .tookTooLong : .gaveNoAnswer)
  }
}
