import Cache
import EventLoop
package import HTTPClient
import HTTPTypes
package import Logging
import Synchronization

/// A cache in front of an HTTP origin, for all loops of a node.
///
/// One request to the origin for each object, however many wait for it; all of them get bytes as
/// the origin sends them.
package final class EdgeProxy: Sendable {
  package let configuration: EdgeConfiguration
  let store: EdgeStore
  let client: HTTPClient
  let flights = FlightTable<EdgeWaiter>()
  /// Responses to be kept whose heads have come and whose bodies are on their way.
  let fills = Mutex<[CacheKey: EdgeFill]>([:])
  package let upstreams: UpstreamPool
  let troubles: UpstreamTroubles
  let slices: EdgeSlices
  /// What is on its way, or still read by somebody who is slow.
  let fillMemory: FillMemory
  let purges = Mutex(PurgeCounts())
  let resumes = Atomic(0)
  private let abandoned = Atomic(0)

  /// Makes a cache without anything in it.
  ///
  /// - Parameters:
  ///   - configuration: with one upstream at least.
  ///   - client: asks the origin.
  ///   - logger: hears why it gave no answer.
  package init(
    _ configuration: EdgeConfiguration, client: HTTPClient, logger: Logger = Logger(label: "edge")
  ) {
    self.configuration = configuration
    self.client = client
    let store = EdgeStore(configuration, logger: logger)
    self.store = store
    let troubles = UpstreamTroubles(logger)
    self.troubles = troubles
    fillMemory = FillMemory(limit: configuration.fillBytes)
    slices = EdgeSlices(store, configuration, client: client, troubles, fillMemory)
    upstreams = UpstreamPool(configuration.upstreams, rules: configuration.upstreamRules)
  }

  static let nobody = EdgeFailure.nobody(
    "No origin can be reached now; ask again in a moment.")

  /// The disk is this process's from now on, where it wasn't from the start.
  package func takeDisk() { store.takeDisk() }

  /// The disk is another process's from now on; returns when nothing is written any more.
  package func releaseDisk() async { await store.releaseDisk() }

  /// For ages.
  var now: Int64 { configuration.clock.now }

  /// For dates.
  var wall: Int64 { configuration.clock.wall }

  func countAbandoned() { abandoned.add(1, ordering: .relaxed) }

  /// How many responses, whole or slices, were ended, as nobody read them and they came too slowly.
  var abandonedCount: Int { abandoned.load(ordering: .relaxed) + slices.counts.abandoned }

  // MARK: Asking

  /// Answers a request for which nothing that is kept will do.
  ///
  /// - Parameters:
  ///   - request: as the client asked it.
  ///   - name: `host/path?query`.
  ///   - isShared: false where the client wants nothing from a cache and leaves nothing in it.
  ///   - pool: who is asked; the configured upstreams where that is nil.
  ///   - patience: how long nothing may come, where that is less than usual.
  ///   - mayBeCut: whether it may be kept in slices.
  ///   - isOwn: whether it is this node's own question, the same whoever it is asked for.
  ///   - isAgain: whether it has waited for a stranger's error before.
  ///   - mailbox: of the loop that is told, where it is one.
  ///   - done: called once, by a mail to that loop, or else from any thread.
  func ask(
    _ request: HTTPRequest, name: String, isShared: Bool, from pool: UpstreamPool? = nil,
    patience: Duration? = nil, mayBeCut: Bool = false, isOwn: Bool = false,
    isAgain: Bool = false, on mailbox: LoopMailbox? = nil,
    done: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    let waiter = EdgeWaiter(mailbox: mailbox, take: done)
    // First: what is found was not purged before it.
    let since = store.log.moment
    let (entry, key) = store.find(name, request.headerFields)
    var order = EdgeFetch.Order(
      request: request, name: name, key: key, stored: nil, isShared: isShared,
      pool: pool ?? upstreams, patience: patience, since: since,
      mayBeCut: mayBeCut && slices.slices != nil, isOwn: isOwn, isAgain: isAgain)
    guard isShared else { return fetch(order, waiter.tell) }
    // It may have come since whoever asks has looked: finding out whom to ask can take its time.
    if let kept = kept(entry, for: request) { return waiter.tell(kept) }
    var sliced: SlicedObject?
    switch entry {
    case .object(let object): order.stored = object
    case .sliced(let object): sliced = object
    case .alone(let until, _) where until > now:
      order.isShared = false
      return fetch(order, waiter.tell)
    case .alone, .chosen, .slice, nil: break
    }
    if let fill = underway(order) { return waiter.tell(.filling(fill, isJoined: true)) }
    let asked = order
    let joined = EdgeWaiter(mailbox: mailbox) { [self] answer in join(asked, answer, waiter) }
    switch flights.join(key, joined, at: waiter.place) {
    case .lead:
      // Another one's may have landed since this was looked for.
      if let answer = landed(order, sliced) {
        return land(asked, waiter, answer)
      }
      lead(order, sliced) { [self] answer in
        if case .filling(let fill, _) = answer, fill.outcome.isStored {
          fills.withLock { $0[key] = fill }
        }
        land(asked, waiter, answer)
      }
    case .wait: break
    case .full: waiter.tell(.failed(.unreachable("Too many wait for this object.")))
    }
  }

  /// Tells the one who led, and all who have waited for that.
  private func land(_ order: EdgeFetch.Order, _ leader: EdgeWaiter, _ answer: EdgeAnswer) {
    leader.tell(answer)
    let groups = flights.land(order.key)
    guard !groups.isEmpty else { return }
    // Looked at when nobody comes any more: whoever has come behind a purge gets nothing of before.
    let answer = isPurged(answer, since: order.since) ? .purged : answer
    for waiters in groups { EdgeWaiter.tell(waiters, answer) }
  }

  /// Whether what is kept was purged; of what is on its way each who joins it sees to that.
  private func isPurged(_ answer: EdgeAnswer, since: PurgeLog.Moment) -> Bool {
    switch answer {
    case .object(let object, _):
      let tags = { EdgeStore.tags(object.name, object.response.headerFields) }
      return store.log.isPurged(object.name, tags: tags, since: since)
    case .sliced(let object, _):
      return store.log.isPurged(object.name, tags: { object.tags }, since: since)
    case .filling, .alone, .purged, .failed: return false
    }
  }

  /// A response on its way that an order can have, too.
  private func underway(_ order: EdgeFetch.Order) -> EdgeFill? {
    guard let fill = fills.withLock({ $0[order.key] }), fill.isFor(order),
      fill.mayBeJoined(at: now), !fill.isPurged(in: store.log)
    else { return nil }
    return fill
  }

  /// What has come since for an order; nil where that is nothing, or is not fresh either.
  private func landed(_ order: EdgeFetch.Order, _ sliced: SlicedObject?) -> EdgeAnswer? {
    if let fill = underway(order) { return .filling(fill, isJoined: true) }
    switch store.find(order.name, order.request.headerFields).entry {
    case .object(let object) where object !== order.stored && object.freshness.isFresh(at: now):
      return .object(object, .hit(ttl: object.freshness.remaining(at: now)))
    case .sliced(let object) where object !== sliced && object.freshness.isFresh(at: now):
      return .sliced(object, .hit(ttl: object.freshness.remaining(at: now)))
    default: return nil
    }
  }

  /// What is kept, where a request may be answered with it and its origin need not be asked.
  private func kept(_ entry: EdgeStore.Entry?, for request: HTTPRequest) -> EdgeAnswer? {
    guard let freshness = entry?.freshness else { return nil }
    let directives = RequestDirectives(request.headerFields)
    let ttl = freshness.remaining(at: now)
    let outcome: CacheOutcome
    switch Reuse(freshness, for: directives, rules: configuration.rules, at: now) {
    case .fresh: outcome = .hit(ttl: ttl)
    case .staleAllowed: outcome = .stale(ttl: ttl)
    default: return nil
    }
    return switch entry {
    case .object(let object): .object(object, outcome)
    case .sliced(let object): .sliced(object, outcome)
    default: nil
    }
  }

  /// Asks the disk first, where nothing is in memory.
  private func lead(
    _ order: EdgeFetch.Order, _ sliced: SlicedObject?,
    _ done: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    let isAsked =
      order.stored == nil && sliced == nil
      && store.readDisk(order.name, order.request.headerFields) { [self] entry in
        if let kept = kept(entry, for: order.request) { return done(kept) }
        switch entry {
        case .object(let object):
          var order = order
          order.stored = object
          fetch(order, done)
        case .sliced(let object): begin(order, object, done)
        default: begin(order, nil, done)
        }
      }
    if !isAsked { begin(order, sliced, done) }
  }

  /// Asks for the whole, or for a slice of what is known or likely to be kept in slices.
  private func begin(
    _ order: EdgeFetch.Order, _ sliced: SlicedObject?,
    _ done: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    guard order.mayBeCut, order.stored == nil, let cut = slices.slices else {
      return fetch(order, done)
    }
    if let sliced { return open(sliced.first(for: order.request) ?? 0, of: sliced, order, done) }
    // Who wants the beginning asks for the whole: that alone tells what it is. Of the last bytes
    // nobody knows yet where they are.
    let first = cut.first(of: order.request.headerFields[.range]) ?? 0
    if first > 0 { open(first, of: nil, order, done) } else { fetch(order, done) }
  }

  /// Asks for a slice, which tells what the whole is.
  private func open(
    _ number: Int, of sliced: SlicedObject?, _ order: EdgeFetch.Order,
    _ done: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    slices.ask(number, of: sliced, for: order, validates: sliced != nil) { [self] answer in
      switch answer {
      case .slice(let object, _):
        done(
          .sliced(
            object,
            sliced == nil
              ? .miss(stored: true, collapsed: false) : .expired(stored: true, status: 206)))
      case .confirmed(let object):
        done(.sliced(object, .revalidated(ttl: object.freshness.remaining(at: now))))
      case .other(.response(let head, let asked)):
        let fetch = EdgeFetch(order, self, asked.use, tried: [], land: done)
        asked.adopt(fetch)
        fetch.received(head: head)
      case .other(.unfit):
        var order = order
        order.mayBeCut = false
        fetch(order, done)
      // The upstream is to say so to who asked for it.
      case .other(.outside): done(.alone)
      case .failed(let failure):
        if let sliced, sliced.freshness.mayStandIn(at: now) {
          done(.sliced(sliced, .stale(ttl: sliced.freshness.remaining(at: now))))
        } else {
          done(.failed(failure))
        }
      }
    }
  }

  /// What one gets who waited for what another has asked for; called where the waiter wants it.
  private func join(_ order: EdgeFetch.Order, _ answer: EdgeAnswer, _ waiter: EdgeWaiter) {
    switch answer {
    case .filling(let fill, _) where fill.isStrangers(to: order) && !order.isAgain:
      // Together: whoever asks without a key shall not make all the others ask one by one.
      again(order, waiter, isAgain: true)
    case .filling(let fill, _) where !fill.isFor(order): alone(order, waiter)
    case .filling(let fill, _) where fill.isPurged(in: store.log):
      again(order, waiter, isAgain: order.isAgain)
    case .purged:
      // Together again: a crowd that waits for what is purged then costs one more request. It ends,
      // as each time takes another purge since the last.
      again(order, waiter, isAgain: order.isAgain)
    case .filling(let fill, _): waiter.take(.filling(fill, isJoined: true))
    case .sliced(let object, _) where !object.isFor(order.request.headerFields, in: store):
      alone(order, waiter)
    case .sliced(let object, let outcome): waiter.take(.sliced(object, outcome.collapsed))
    case .object(let object, _) where !isChosen(object, for: order):
      // How to choose is known by now; by that key it waits with others of the same choice.
      let (entry, key) = store.find(order.name, order.request.headerFields)
      if case .object(let its)? = entry, its.freshness.isFresh(at: now) {
        waiter.take(.object(its, .hit(ttl: its.freshness.remaining(at: now))))
      } else if key == order.key {
        alone(order, waiter)
      } else {
        again(order, waiter, isAgain: order.isAgain)
      }
    case .object, .failed: waiter.take(answer)
    case .alone: alone(order, waiter)
    }
  }

  /// Whether an object is what a request gets that has waited for it: chosen by the same fields.
  private func isChosen(_ object: EdgeObject, for order: EdgeFetch.Order) -> Bool {
    guard let rule = VaryRule(object.response.headerFields), !rule.isEmpty else { return true }
    let key = store.key(order.name, rule, order.request.headerFields)
    if key == order.key { return true }
    guard case .object(let its) = store.entry(key) else { return false }
    return its === object
  }

  private func again(_ order: EdgeFetch.Order, _ waiter: EdgeWaiter, isAgain: Bool) {
    ask(
      order.request, name: order.name, isShared: true, from: order.pool, patience: order.patience,
      mayBeCut: order.mayBeCut, isOwn: order.isOwn, isAgain: isAgain, on: waiter.mailbox,
      done: waiter.take)
  }

  private func alone(_ order: EdgeFetch.Order, _ waiter: EdgeWaiter) {
    var order = order
    order.isShared = false
    fetch(order, waiter.tell)
  }

  /// Asks one of the upstreams.
  ///
  /// - Parameters:
  ///   - order: what is asked for.
  ///   - tried: that have given no answer to it.
  ///   - failure: what the last of them had to say.
  ///   - done: called once.
  func fetch(
    _ order: EdgeFetch.Order, besides tried: Set<Upstream> = [], after failure: EdgeFailure? = nil,
    _ done: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    guard let use = order.pool.use(besides: tried) else {
      let failure = order.pool.absence ?? failure ?? Self.nobody
      if let stored = order.stored, stored.freshness.mayStandIn(at: now) {
        return done(.object(stored, .stale(ttl: stored.freshness.remaining(at: now))))
      }
      return done(.failed(failure))
    }
    var fields = EdgeFields.asked(order.request, isShared: order.isShared)
    if order.isShared, let stored = order.stored {
      for field in Validation.conditions(for: stored.response.headerFields) { fields.append(field) }
    }
    let request = upstreamRequest(order.request, fields, to: use.upstream)
    let fetch = EdgeFetch(order, self, use, tried: tried, land: done)
    do throws(HTTPClientError) {
      fetch.began(try client.stream(request, for: order, configuration, to: fetch))
    } catch {
      fetch.ended(error)
    }
  }

  func upstreamRequest(
    _ request: HTTPRequest, _ fields: HTTPFields, to upstream: Upstream
  ) -> HTTPRequest {
    HTTPRequest(
      method: request.method, scheme: upstream.scheme, authority: upstream.authority,
      path: request.path ?? "/", headerFields: fields)
  }

  /// An order for slices of what is known.
  func order(
    _ request: HTTPRequest, for object: SlicedObject, from pool: UpstreamPool?
  ) -> EdgeFetch.Order {
    EdgeFetch.Order(
      request: request, name: object.name, key: object.key, stored: nil, isShared: true,
      pool: pool ?? upstreams, patience: nil, since: store.log.moment, mayBeCut: true)
  }

  /// Asks anew for what is served stale meanwhile.
  func refresh(
    _ request: HTTPRequest, name: String, from pool: UpstreamPool? = nil, mayBeCut: Bool = false
  ) {
    ask(request, name: name, isShared: true, from: pool, mayBeCut: mayBeCut) { answer in
      // What isn't kept is of use to nobody: its only reader leaves, which ends it.
      if case .filling(let fill, _) = answer { _ = fill.body.join() }
    }
  }

  /// Whether all of something is here.
  ///
  /// - Parameter name: of something that is the same for all requests.
  /// - Returns: false for what is still on its way, which may yet break off.
  func has(_ name: String) -> Bool {
    if store.has(name) { return true }
    let key = store.key(name)
    // What has just come is kept a moment later.
    return fills.withLock { $0[key]?.body.progress.end == .complete }
  }

  /// Who reads what is on its way, for metrics.
  var readers: Int {
    fills.withLock { $0.values.reduce(0) { $0 + $1.body.readers } }
  }

  // MARK: Told by fetches

  func cannotShare(_ order: EdgeFetch.Order) {
    store.setAlone(order.key, name: order.name, until: now + configuration.aloneFor)
  }

  /// Its body has come, or will not; after a purge another one may be on its way in its place.
  func landed(_ order: EdgeFetch.Order, _ fill: EdgeFill) {
    fills.withLock { if $0[order.key] === fill { $0[order.key] = nil } }
  }
}
