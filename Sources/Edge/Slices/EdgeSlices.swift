import Cache
import HTTPClient
import HTTPTypes
import Synchronization

/// Slices of large objects: each is asked for once, however many want it.
///
/// What an upstream says of the whole stands with each slice; another version of the object is
/// found out with the first slice of it that comes, and takes the place of the one before.
final class EdgeSlices: Sendable {
  /// What there is of a slice.
  enum Found: Sendable {
    /// It is kept.
    case bytes([UInt8])
    /// It is on its way.
    case filling(SliceFill)
    /// The object is another one by now, or can't be had in slices any more: it has to be asked for
    /// anew.
    case changed
    case failed(EdgeFailure)
  }

  /// What slices did, for metrics.
  struct Counts: Sendable {
    var memory = 0
    var disk = 0
    /// Asked for, by another one's request.
    var joined = 0
    var upstream = 0
    /// Objects that were another version by the time a slice came.
    var changed = 0
    /// Those that were ended, as nobody read them and they came too slowly.
    var abandoned = 0
  }

  /// How objects are cut; nil where they aren't.
  let slices: Slices?
  let store: EdgeStore
  let configuration: EdgeConfiguration
  let troubles: UpstreamTroubles
  private let client: HTTPClient
  private let memory: FillMemory
  private let flights = FlightTable<@Sendable (Found) -> Void>()
  /// Slices that are on their way.
  private let fills = Mutex<[CacheKey: SliceFill]>([:])
  private let counted = Mutex(Counts())

  init(
    _ store: EdgeStore, _ configuration: EdgeConfiguration, client: HTTPClient,
    _ troubles: UpstreamTroubles, _ memory: FillMemory
  ) {
    self.memory = memory
    self.troubles = troubles
    slices = configuration.sliceBytes > 0 ? Slices(size: configuration.sliceBytes) : nil
    self.store = store
    self.configuration = configuration
    self.client = client
  }

  var counts: Counts { counted.withLock { $0 } }

  func count(_ change: (inout Counts) -> Void) { counted.withLock { change(&$0) } }

  /// From how many bytes on an object is cut that is asked for from its beginning.
  ///
  /// One of a few slices is had sooner by one request than by several.
  var leastBytes: Int { 4 * (slices?.size ?? 0) }

  // MARK: Finding

  /// What can be had of a slice without waiting for anything.
  ///
  /// - Parameters:
  ///   - number: of the slice.
  ///   - object: that it is of.
  /// - Returns: nil where it would have to be asked for.
  func here(_ number: Int, of object: SlicedObject) -> Found? {
    let key = store.key(object, number)
    if case .slice(let bytes, _)? = store.entry(key) {
      count { $0.memory += 1 }
      return .bytes(bytes)
    }
    guard let fill = fills.withLock({ $0[key] }), !fill.isPurged(in: store.log) else { return nil }
    count { $0.joined += 1 }
    return .filling(fill)
  }

  /// Has a slice, from wherever it can be had.
  ///
  /// - Parameters:
  ///   - number: of the slice.
  ///   - object: that it is of.
  ///   - order: by which the object was asked for.
  ///   - done: called once, from any thread, maybe before this returns.
  func find(
    _ number: Int, of object: SlicedObject, for order: EdgeFetch.Order,
    _ done: @escaping @Sendable (Found) -> Void
  ) {
    if let found = here(number, of: object) { return done(found) }
    let key = store.key(object, number)
    switch flights.join(key, done) {
    case .lead: break
    case .wait: return count { $0.joined += 1 }
    case .full: return done(.failed(.unreachable("Too many wait for this object.")))
    }
    let land: @Sendable (Found) -> Void = { [self] found in
      done(found)
      for waiter in flights.land(key).joined() { waiter(found) }
    }
    // It may have landed since it was looked for.
    if let found = here(number, of: object) { return land(found) }
    let isAsked = store.readSlice(number, of: object) { [self] bytes in
      if let bytes {
        count { $0.disk += 1 }
        return land(.bytes(bytes))
      }
      fetch(number, of: object, for: order, land)
    }
    if !isAsked { fetch(number, of: object, for: order, land) }
  }

  /// Has a slice on its way that will be wanted soon.
  func prefetch(_ number: Int, of object: SlicedObject, for order: EdgeFetch.Order) {
    guard number < object.slices.count(total: object.total),
      !store.has(slice: number, of: object)
    else { return }
    find(number, of: object, for: order) { _ in }
  }

  private func fetch(
    _ number: Int, of object: SlicedObject, for order: EdgeFetch.Order,
    _ land: @escaping @Sendable (Found) -> Void
  ) {
    var order = order
    order.since = store.log.moment
    count { $0.upstream += 1 }
    ask(number, of: object, for: order, validates: false) { answer in
      switch answer {
      case .slice(let now, let fill):
        // Who waits has the other version's bytes already, or its head.
        land(now.reference.matches(object.reference) ? .filling(fill) : .changed)
      case .confirmed, .other: land(.changed)
      case .failed(let failure): land(.failed(failure))
      }
    }
  }

  // MARK: Asking

  /// What came of a request for a slice.
  enum Answer: Sendable {
    /// It is on its way; what is known of the whole by now.
    case slice(SlicedObject, SliceFill)
    /// What is kept is still true.
    case confirmed(SlicedObject)
    /// Something else than a slice: nothing of the object is kept any more.
    case other(SliceFetch.Other)
    case failed(EdgeFailure)
  }

  /// Asks an upstream for a slice.
  ///
  /// - Parameters:
  ///   - number: of the slice.
  ///   - object: as far as it is known.
  ///   - order: by which it was asked for.
  ///   - validates: whether an answer that says that what is known is true will do.
  ///   - tried: upstreams that have given no answer to it.
  ///   - failure: what the last of them had to say.
  ///   - done: called once.
  func ask(
    _ number: Int, of object: SlicedObject?, for order: EdgeFetch.Order, validates: Bool,
    besides tried: Set<Upstream> = [], after failure: EdgeFailure? = nil,
    _ done: @escaping @Sendable (Answer) -> Void
  ) {
    // Those that have broken off are asked again where there is no other.
    let use =
      order.pool.use(besides: tried.union(order.brokeOff))
      ?? (order.brokeOff.isEmpty ? nil : order.pool.use(besides: tried))
    guard let slices = object?.slices ?? slices, let use else {
      return done(.failed(order.pool.absence ?? failure ?? EdgeProxy.nobody))
    }
    var fields = EdgeFields.asked(order.request, isShared: true)
    fields[.range] = slices.field(of: number)
    if validates, let object {
      for field in Validation.conditions(for: object.response.headerFields) {
        fields.append(field)
      }
    }
    let request = HTTPRequest(
      method: .get, scheme: use.upstream.scheme, authority: use.upstream.authority,
      path: order.request.path ?? "/", headerFields: fields)
    let fetch = SliceFetch(
      number, slices, known: object, order, self, use,
      again: { [self] failure in
        ask(
          number, of: object, for: order, validates: validates,
          besides: tried.union([use.upstream]), after: failure, done)
      }, land: done)
    do throws(HTTPClientError) {
      fetch.began(try client.stream(request, for: order, configuration, to: fetch))
    } catch {
      fetch.ended(error)
    }
  }

  // MARK: Told by fetches

  /// A slice begins to come: from now on it can be joined.
  func begin(
    _ number: Int, of object: SlicedObject, from upstream: Upstream, since: PurgeLog.Moment
  ) -> SliceFill {
    let fill = SliceFill(
      object, number, from: upstream, since: since, in: memory, pace: configuration.unreadPace)
    fills.withLock { $0[store.key(object, number)] = fill }
    return fill
  }

  /// It is over.
  ///
  /// - Parameters:
  ///   - fill: of the slice.
  ///   - problem: nil where all of it has come.
  func end(_ fill: SliceFill, _ problem: String?) {
    if problem == nil {
      fill.body.complete()
      if let bytes = fill.body.whole() {
        store.keep(bytes, slice: fill.number, of: fill.object, since: fill.since)
      }
    }
    // It can be joined until it is kept; one that has failed by nobody who comes for it once more.
    let key = store.key(fill.object, fill.number)
    fills.withLock { fills in
      if fills[key] === fill { fills[key] = nil }
    }
    if let problem { fill.body.fail(problem) }
  }

  /// Keeps what is known of the whole; another version before it goes, with its slices.
  func keep(
    _ object: SlicedObject, insteadOf before: SlicedObject?, for order: EdgeFetch.Order
  ) {
    if let before {
      if !before.reference.matches(object.reference) {
        // Two slices are asked for at a time: the other one's answer may have said so already.
        if isKept(object) { return }
        count { $0.changed += 1 }
        store.forget(before.name)
      } else if before.freshness.isFresh(at: now) {
        return
      }
    }
    store.keep(object, fields: order.request.headerFields, since: order.since)
  }

  /// Whether this version is what is kept.
  private func isKept(_ object: SlicedObject) -> Bool {
    guard case .sliced(let kept) = store.entry(object.key) else { return false }
    return kept.reference.matches(object.reference)
  }

  /// Nothing of an object is true any more.
  func forget(_ object: SlicedObject) {
    if isKept(object) { count { $0.changed += 1 } }
    store.forget(object.name)
  }

  var now: Int64 { configuration.clock.now }
  var wall: Int64 { configuration.clock.wall }
}
