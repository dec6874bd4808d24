import Cache
import HTTPClient
import HTTPSemantics
import HTTPTypes
import Synchronization

/// One request to the origin: decides, when its head has come, what becomes of the response.
///
/// Called by the HTTP client's thread alone, one call at a time.
final class EdgeFetch: ResponseReceiver {
  /// What is asked for, and for whom.
  struct Order: Sendable {
    /// As the client asked it.
    var request: HTTPRequest
    /// `host/path?query`.
    var name: String
    var key: CacheKey
    /// What is stored and may still be true.
    var stored: EdgeObject?
    /// Whether the answer may be for others, too.
    var isShared: Bool
    /// Who is asked.
    var pool: UpstreamPool
    /// How long nothing may come, where that is less than usual.
    var patience: Duration?
    /// What is purged later isn't kept.
    var since: PurgeLog.Moment
    /// Whether it may be kept in slices.
    var mayBeCut = false
    /// Whether it is this node's own question: the same whoever it is asked for.
    var isOwn = false
    /// Upstreams that are asked last, as they have broken off.
    var brokeOff: Set<Upstream> = []
    /// Whether what it waited for was a stranger's error: it is asked together with others once
    /// more.
    var isAgain = false

    /// Whether nothing in it makes it one client's: an error may be another one for who says who it
    /// is.
    var isAnybodys: Bool {
      let fields = request.headerFields
      return isOwn || fields[.authorization] == nil && fields[.cookie] == nil
    }
  }

  private struct State {
    var fill: EdgeFill?
    var stream: ResponseStream?
    /// Bytes of a body that is kept.
    var kept = 0
    /// Whether it only passes from here on: it has become longer than what may be kept.
    var isTooLong = false
    /// How often the rest of it was asked for.
    var resumes = 0
    var isLanded = false
    /// The answer's body is not handed on: what comes of it yet is of no interest.
    var isStopped = false
    /// The first slice, of a response that is cut.
    var slice: SliceFill?
  }

  let order: Order
  private let proxy: EdgeProxy
  private let use: UpstreamUse
  private let tried: Set<Upstream>
  private let requestedAt: Int64
  private let state = Mutex(State())
  private let land: @Sendable (EdgeAnswer) -> Void

  /// - Parameters:
  ///   - order: what is asked for.
  ///   - proxy: keeps what comes.
  ///   - use: of the upstream that is asked.
  ///   - tried: those that were asked before it, in vain.
  ///   - land: called once with what has come of it.
  init(
    _ order: Order, _ proxy: EdgeProxy, _ use: UpstreamUse, tried: Set<Upstream>,
    land: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    self.use = use
    self.tried = tried
    self.order = order
    self.proxy = proxy
    self.land = land
    requestedAt = proxy.now
  }

  /// Knows the exchange, to hold it up or to end it.
  func began(_ stream: ResponseStream) {
    let isStopped = state.withLock { state in
      state.stream = stream
      return state.isStopped
    }
    if isStopped { stream.cancel() }
  }

  /// Takes no more of the response, once it is decided that nobody gets it.
  private func stop() {
    let stream = state.withLock { state in
      state.isStopped = true
      return state.stream
    }
    stream?.cancel()
  }

  private func answer(_ answer: EdgeAnswer) {
    let isFirst = state.withLock { state in
      defer { state.isLanded = true }
      return !state.isLanded
    }
    if isFirst { land(answer) }
  }

  // MARK: The response

  func received(head: HTTPResponse) {
    let (now, wall) = (proxy.now, proxy.wall)
    let status = head.status.code
    use.succeeded()
    if status == 404, order.isOwn, order.pool.isMixed,
      order.pool.hasOthers(besides: tried.union([use.upstream]))
    {
      stop()
      return askAnother()
    }
    if let coding = head.headerFields[.transferEncoding], coding.lowercased() != "chunked" {
      // Nobody can tell where a body ends that is coded in ways unknown (RFC 9112, 6.1).
      stop()
      return failed(HTTPClientError(.brokenResponse, "its transfer coding isn't known"))
    }
    if status == 206, !isAsked(part: head) {
      stop()
      return failed(
        HTTPClientError(.brokenResponse, "it is a part that was not asked for"))
    }
    if status == 304, order.isShared, let stored = order.stored {
      return validated(head, stored, at: now)
    }
    if status >= 500, let stored = order.stored, stored.freshness.mayStandIn(at: now) {
      stop()
      return answer(.object(stored, .stale(ttl: stored.freshness.remaining(at: now))))
    }
    let response = EdgeFields.kept(head, at: wall)
    let freshness = Freshness(
      head, requestedAt: requestedAt, receivedAt: now, wall: wall, rules: proxy.configuration.rules)
    let length = head.headerFields[.contentLength].flatMap { Int($0) }
    let fits = (length ?? 0) <= proxy.configuration.objectBytes
    let mayBeKept =
      order.isShared && Storability(order.request, head, freshness) == .allowed && fits
    if let object = cut(head, at: now) {
      let slice = proxy.slices.begin(
        0, of: object, from: use.upstream, since: order.since)
      state.withLock { $0.slice = slice }
      proxy.slices.keep(object, insteadOf: nil, for: order)
      return answer(.sliced(object, outcome(status, isKept: true)))
    }
    // Where there is no memory for it, and where it is too long, it comes at its readers' pace.
    let share = fits && (mayBeKept || isErrorForAll(head)) ? share(length) : nil
    let isKept = mayBeKept && share != nil
    let isForAll = share != nil
    let body = FillBody(
      isForAll ? .kept : .passing(mostUnread: proxy.configuration.unreadBytes),
      length: fits ? length : nil, share: share, pace: proxy.configuration.unreadPace)
    body.onAdvice { [weak self] advice in
      guard let stream = self?.state.withLock({ $0.stream }) else { return }
      switch advice {
      case .goOn: stream.resume()
      case .stop: stream.cancel()
      }
    }
    let fill = EdgeFill(
      response, to: order, freshness: freshness, body: body,
      outcome: outcome(status, isKept: isKept), isForAll: isForAll)
    state.withLock { $0.fill = fill }
    // What is wrong now may be well in a moment, and is no reason for all to ask by themselves.
    if order.isShared, !isForAll, !mayBeKept, status < 400 { proxy.cannotShare(order) }
    answer(.filling(fill, isJoined: false))
  }

  /// The memory that a body takes which is to be kept; nil where there is none.
  ///
  /// Small ones take no more than if they weren't kept, and live segments are few.
  private func share(_ length: Int?) -> FillShare? {
    let isSmall = length.map { $0 <= proxy.configuration.unreadBytes } ?? false
    return proxy.fillMemory.share(length ?? 0, isForced: order.isOwn || isSmall)
  }

  /// Whether a 206 is of the range that was asked for; not looked at where it is of several.
  private func isAsked(part head: HTTPResponse) -> Bool {
    guard !order.isShared, let asked = order.request.headerFields[.range] else { return false }
    guard let said = head.headerFields[.contentRange].flatMap({ ContentRange($0) }) else {
      return true
    }
    let bytes = Array(asked.utf8)
    switch RangeRequest(bytes.span, length: said.total) {
    case .single(let range): return range == said.range
    case .whole, .several, .unsatisfiable: return true
    }
  }

  /// What is known of a whole that is to be kept in slices; nil for all others.
  ///
  /// What comes of it is its first slice; the others are asked for as they are wanted.
  private func cut(_ head: HTTPResponse, at now: Int64) -> SlicedObject? {
    guard order.mayBeCut, order.isShared, let slices = proxy.slices.slices,
      let reference = SlicedObject.reference(ofWhole: head),
      reference.total > proxy.slices.leastBytes
    else { return nil }
    return SlicedObject.read(
      head, reference, of: order, in: proxy.store, slices, rules: proxy.configuration.rules,
      requestedAt: requestedAt, now: now, wall: proxy.wall)
  }

  /// Whether an error that isn't kept is the same for all who wait for it: nothing in the request
  /// or in the answer makes it one client's.
  private func isErrorForAll(_ head: HTTPResponse) -> Bool {
    guard order.isShared, head.status.code >= 400 else { return false }
    let says = head.headerFields[.cacheControl]?.lowercased() ?? ""
    return order.isAnybodys && head.headerFields[.setCookie] == nil && !says.contains("private")
      && !says.contains("no-store")
  }

  private func outcome(_ status: Int, isKept: Bool) -> CacheOutcome {
    if !order.isShared { return order.request.method == .get ? .bypass : .method }
    if order.stored != nil { return .expired(stored: isKept, status: status) }
    return .miss(stored: isKept, collapsed: false)
  }

  /// The origin says that what is stored is still true.
  private func validated(_ head: HTTPResponse, _ stored: EdgeObject, at now: Int64) {
    state.withLock { $0.isStopped = true }
    guard Validation.confirms(head.headerFields, stored.response.headerFields) else {
      // It speaks of something that isn't stored here.
      proxy.store.drop(order.key)
      return answer(.alone)
    }
    var response = stored.response
    response.headerFields = Validation.updated(
      stored.response.headerFields, by: EdgeFields.kept(head, at: proxy.wall).headerFields)
    let freshness = Freshness(
      response, requestedAt: requestedAt, receivedAt: now, wall: proxy.wall,
      rules: proxy.configuration.rules)
    let object = EdgeObject(order.name, response, body: stored.body, freshness: freshness)
    proxy.store.keep(object, fields: order.request.headerFields, since: order.since)
    answer(.object(object, .revalidated(ttl: freshness.remaining(at: now))))
  }

  func received(body piece: borrowing Span<UInt8>) -> Bool {
    if let slice = state.withLock({ $0.slice }) {
      if slice.append(piece, isOfWhole: true) != .goOn {
        state.withLock { $0.slice = nil }
        stop()
        proxy.slices.end(slice, nil)
      }
      return true
    }
    let count = piece.count
    let (fill, isTooLong) = state.withLock { state -> (EdgeFill?, Bool) in
      guard !state.isStopped else { return (nil, false) }
      state.kept += count
      guard let fill = state.fill, !state.isTooLong else { return (state.fill, false) }
      state.isTooLong =
        state.kept > proxy.configuration.objectBytes
        || !fill.body.mayGrow(
          to: state.kept,
          isForced: order.isOwn || state.kept <= proxy.configuration.unreadBytes)
      return (fill, state.isTooLong)
    }
    guard let fill else { return true }
    if isTooLong { fill.body.stopKeeping(mostUnread: proxy.configuration.unreadBytes) }
    return fill.body.append(piece) == .goOn
  }

  func caughtUp() {
    let (fill, slice) = state.withLock { ($0.fill, $0.slice) }
    guard let body = slice?.body ?? fill?.body else { return }
    body.wakeReaders()
    guard body.abandonIfSlow(Self.abandoned) else { return }
    proxy.countAbandoned()
    stop()
    if let slice {
      proxy.slices.end(slice, Self.abandoned)
    } else if let fill {
      proxy.landed(order, fill)
    }
  }

  /// Why it goes no further.
  static let abandoned = "nobody reads it, and it comes too slowly"

  func ended(_ problem: HTTPClientError?) {
    let (fill, isStopped) = state.withLock { ($0.fill, $0.isStopped) }
    if isStopped { return }
    if let slice = state.withLock({ $0.slice }) {
      return proxy.slices.end(
        slice, problem?.description ?? "the upstream sent less than it had said")
    }
    guard let fill else {
      return failed(problem ?? HTTPClientError(.brokenResponse, "there is no response"))
    }
    if let problem {
      if resume(fill, after: problem) { return }
      fill.body.fail(problem.description)
    } else {
      // It can be joined until it is kept, so whoever asks finds it in one place or the other.
      fill.body.complete()
      if let whole = fill.body.whole(), fill.outcome.isStored { keep(fill, whole) }
    }
    proxy.landed(order, fill)
  }

  /// How often the rest of a response that breaks off is asked for.
  private static let mostResumes = 2

  /// Asks for the rest of a response that broke off, where it can be known to be of the same
  /// version.
  ///
  /// An upstream that says nothing is not asked again: whoever reads has waited long enough.
  private func resume(_ fill: EdgeFill, after problem: HTTPClientError) -> Bool {
    guard [.interrupted, .brokenResponse].contains(problem.code), fill.outcome.isStored,
      fill.response.status == .ok, let length = fill.length, case .open = fill.body.progress.end,
      let tag = fill.response.headerFields[.eTag], tag.hasPrefix("\""),
      fill.response.headerFields[.contentEncoding] == nil
    else { return false }
    let rest = state.withLock { state -> Range<Int>? in
      guard state.kept < length, state.resumes < Self.mostResumes else { return nil }
      state.resumes += 1
      return state.kept..<length
    }
    guard let rest else { return false }
    proxy.resume(EdgeResume(self, rest, tag: tag), of: order, from: use)
    return true
  }

  /// The rest of it can't be had.
  func cannotResume(_ problem: HTTPClientError) {
    state.withLock { $0.resumes = Self.mostResumes }
    ended(problem)
  }

  /// The rest of it comes.
  func resumed() { proxy.countResume() }

  private func keep(_ fill: EdgeFill, _ whole: [UInt8]) {
    if let length = fill.length, length != whole.count { return }
    let object = EdgeObject(order.name, fill.response, body: whole, freshness: fill.freshness)
    proxy.store.keep(object, fields: order.request.headerFields, since: order.since)
  }

  /// Another upstream may know more.
  private func failed(_ problem: HTTPClientError) {
    guard landsFirst() else { return }
    if problem.fault != .ours { use.failed() }
    proxy.troubles.note(use.upstream, "\(problem)")
    proxy.fetch(order, besides: tried.union([use.upstream]), after: EdgeFailure(problem), land)
  }

  /// Another upstream may have it.
  private func askAnother() {
    guard landsFirst() else { return }
    proxy.fetch(order, besides: tried.union([use.upstream]), land)
  }

  /// Whether nothing has come of it yet; from here on something has.
  private func landsFirst() -> Bool {
    state.withLock { state in
      defer { state.isLanded = true }
      return !state.isLanded
    }
  }
}
