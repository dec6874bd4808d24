import Access
import Bytes
import EventLoop
package import HTTPSemantics
package import HTTPServer
import HLS
import Media
import Recording

/// Answers viewers on one loop: playlists, segments, and what else the public listener has.
package final class ViewerHandler: RequestHandler {
  /// The plan's second address of a program's master playlist: `{wedding}.m3u8` follows.
  static let dynamicPlaylist: StaticString = "/api/streams/playlist/"

  static let programName = Array(Claims.programCamera.utf8)

  let table: StreamTable
  package let gate: ViewerGate
  private let routes: RequestHandler
  let recordings: RecordingSite?
  let remote: RemoteStreams?
  private let expected: ExpectedStreams
  private let pacing: ViewerPacing?

  /// Makes a handler of one loop.
  ///
  /// - Parameters:
  ///   - table: the loop's streams.
  ///   - gate: who may watch.
  ///   - routes: what isn't under `/hls/`.
  ///   - recordings: finished ones, where there are any.
  ///   - remote: streams that other nodes have; nil where this one has all.
  ///   - expected: streams that there aren't, and are soon.
  ///   - pacing: how fast segments are sent.
  package init(
    table: StreamTable, gate: ViewerGate, routes: RequestHandler,
    recordings: RecordingSite? = nil, remote: RemoteStreams? = nil,
    expected: ExpectedStreams = ExpectedStreams(), pacing: ViewerPacing = ViewerPacing()
  ) {
    self.pacing = pacing.isOn ? pacing : nil
    self.recordings = recordings
    self.remote = remote
    self.expected = expected
    self.table = table
    self.gate = gate
    self.routes = routes
    table.refusal = { [gate] in gate.refusal(of: $0, $1, isProgram: $2) }
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    let isDynamic: Bool
    if request.pathStarts(with: "/hls/") {
      isDynamic = false
    } else if request.pathStarts(with: Self.dynamicPlaylist) {
      isDynamic = true
    } else {
      return routes.handle(request, exchange)
    }
    switch request.method {
    case .get, .head:
      let found = isDynamic ? findProgram(request.path) : request.withPath { find($0) }
      guard case .remotePlaylist(let key, let isProgram) = found else {
        return watch(found, request, exchange)
      }
      if let refusal = follow(key, isProgram, request) { return .prepared(refusal) }
      return watch(
        isDynamic ? findProgram(request.path) : request.withPath { find($0) }, request, exchange)
    case .options: return .prepared(ViewerErrors.preflight)
    default: return .prepared(ViewerErrors.wrongMethod.response(to: request.method))
    }
  }

  private func watch(
    _ found: Found, _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    switch found {
    case .master(let place):
      switch gate.check(request, place.snapshot.key, isProgram: place.isProgram) {
      case .refused(let response): return .prepared(response)
      case .allowed(let audience, let plan):
        let choice = gate.choice(request, place.snapshot.key)
        guard let master = place.snapshot.master(of: plan, isProgram: place.isProgram) else {
          guard place.snapshot.isComing(to: plan) else { return .prepared(ViewerErrors.notFound) }
          return wait(
            request, exchange, place, for: .master(plan, startingWith: choice), audience)
        }
        note(request, exchange, place.slot, audience)
        count(exchange, place)
        place.snapshot.interest?.note(now: Self.second(exchange))
        let chosen = choice.flatMap { master.playlist(startingWith: $0) }
        return Response((chosen ?? master.playlist).response(for: audience))
      }
    case .playlist(let place, let rendition):
      switch gate.check(request, place.snapshot.key, isProgram: place.isProgram) {
      case .refused(let response): return .prepared(response)
      case .allowed(let audience, let plan):
        guard place.snapshot.renditions[rendition].isOpen(to: plan) else {
          return .prepared(ViewerErrors.otherPlan)
        }
        note(request, exchange, place.slot, audience)
        count(exchange, place, rendition)
        place.snapshot.interest?.note(now: Self.second(exchange))
        place.snapshot.renditions[rendition].interest?.note(now: Self.second(exchange))
        return playlist(request, exchange, place, rendition, audience)
      }
    case .coming(let place, let rendition):
      switch gate.check(request, place.snapshot.key, isProgram: place.isProgram) {
      case .refused(let response): return .prepared(response)
      case .allowed(let audience, let plan):
        guard rendition.viewers >> UInt32(plan) & 1 == 1 else {
          return .prepared(ViewerErrors.otherPlan)
        }
        place.snapshot.comingInterest?.note(rendition.name, now: Self.second(exchange))
        // Its first segment, whichever number that has.
        return wait(request, exchange, place, for: .segment(-1, of: rendition.name), audience)
      }
    case .lacking(let place, let response):
      switch gate.check(request, place.snapshot.key, isProgram: place.isProgram) {
      case .refused(let refusal): return .prepared(refusal)
      case .allowed: return .prepared(response)
      }
    case .segment(let place, let rendition, let source):
      // A name can't be guessed, and the playlist that has it was asked for with a token; still,
      // a copied address must not outlive the token.
      switch gate.check(request, place.snapshot.key, isProgram: place.isProgram) {
      case .refused(let refusal): return .prepared(refusal)
      case .allowed(_, let plan):
        guard place.snapshot.renditions[rendition].isOpen(to: plan) else {
          return .prepared(ViewerErrors.otherPlan)
        }
        count(exchange, place, rendition)
        pace(
          exchange, plan, place.snapshot.isOver ? 0 : place.snapshot.renditions[rendition].bitrate)
        switch source {
        case .memory(let response): return .prepared(response)
        case .disk(let file): return file.answer(request)
        case .elsewhere:
          return remote?.segments.handle(request, exchange) ?? .prepared(ViewerErrors.noSegment)
        }
      }
    case .remoteSegment(let key, let rendition):
      switch gate.check(request, key) {
      case .refused(let refusal): return .prepared(refusal)
      case .allowed(_, let plan):
        guard !gate.needsToken || gate.allows(rendition, in: plan) else {
          return .prepared(ViewerErrors.otherPlan)
        }
        pace(exchange, plan, 0)
        return remote?.segments.handle(request, exchange) ?? .prepared(ViewerErrors.noSegment)
      }
    case .remoteOther:
      return remote?.others.handle(request, exchange) ?? .prepared(ViewerErrors.notFound)
    case .recording(let recording, let file): return watch(recording, file, request, exchange)
    case .missingSegment: return .prepared(refusal(request) ?? ViewerErrors.noSegment)
    case .pastSegment: return .prepared(refusal(request) ?? ViewerErrors.pastSegment)
    case .nothing, .remotePlaylist:
      return .prepared(
        refusal(request) ?? playlist(of: request).flatMap { expected.answer($0) }
          ?? Self.nothing(request))
    }
  }

  private func watch(
    _ recording: RecordingShelf.Entry, _ file: String, _ request: borrowing Request,
    _ exchange: borrowing Exchange
  ) -> Response {
    guard let recordings,
      let key = StreamKey(wedding: recording.wedding, camera: recording.camera)
    else { return .prepared(ViewerErrors.notFound) }
    switch gate.check(request, key) {
    case .refused(let response): return .prepared(response)
    case .allowed(let audience, let plan):
      guard !recordings.isLimitedByPlan || gate.allows(recording.quality, in: plan) else {
        return .prepared(ViewerErrors.otherPlan)
      }
      recordings.shelf.noteViewer(of: recording.id)
      pace(exchange, plan, 0)
      return recordings.answer(request, recording, file, audience)
        ?? .prepared(ViewerErrors.noFile)
    }
  }

  /// What there isn't, in words.
  private static func nothing(_ request: borrowing Request) -> PreparedResponse {
    let isRecording = request.withPath { path in
      ViewerPath(path)?.camera.map { path.extracting($0).matches(RecordingSite.folderBytes) }
        ?? false
    }
    return isRecording ? ViewerErrors.noRecording : ViewerErrors.notFound
  }

  private func pace(
    _ exchange: borrowing Exchange, _ plan: Plans.Number, _ bitrate: Int
  ) {
    guard let pace = pacing?.pace(plan: plan, bitrate: bitrate) else { return }
    exchange.pace(pace)
  }

  /// What those without a token get for anything that isn't there: the same as for what is, so that
  /// nobody can find out which weddings there are.
  private func refusal(_ request: borrowing Request) -> PreparedResponse? {
    guard gate.needsToken || !gate.locked.isEmpty,
      let key = request.withPath({ ViewerPath($0)?.key(in: $0) })
        ?? Self.program(request.path).flatMap({ StreamKey(wedding: $0) }),
      case .refused(let response) = gate.check(request, key)
    else { return nil }
    return response
  }

  /// Keeps a viewer until there is something of what is being made.
  private func wait(
    _ request: borrowing Request, _ exchange: borrowing Exchange, _ place: Place,
    for wanted: StreamTable.Wanted, _ audience: Audience
  ) -> Response {
    note(request, exchange, place.slot, audience)
    count(exchange, place)
    let otherwise =
      place.snapshot.version == 0 ? ViewerErrors.unanswered : ViewerErrors.starting
    if place.slot.isLeft { return .prepared(otherwise) }
    guard
      let held = exchange.hold(
        request, for: place.snapshot.patience, otherwise: otherwise)
    else { return .prepared(ViewerErrors.busy) }
    place.slot.wait(
      held, for: wanted, audience, isProgram: place.isProgram, at: exchange.server)
    return .held(held)
  }

  private func playlist(
    _ request: borrowing Request, _ exchange: borrowing Exchange, _ place: Place,
    _ index: Int, _ audience: Audience
  ) -> Response {
    let snapshot = place.snapshot
    let rendition = snapshot.renditions[index]
    let current = rendition.playlist.response(for: audience)
    guard request.hasQuery else { return Response(current) }
    let reload = request.withQuery { ReloadRequest.parse(query: $0) }
    switch reload.answer(nextSequence: rendition.nextSequence, isEnded: snapshot.isOver) {
    case .respond: return Response(current)
    case .badRequest: return .prepared(ViewerErrors.badReload)
    // The next process has what comes; who asks again is there.
    case .hold where place.slot.isLeft: return Response(current)
    case .hold(let sequence):
      let patience = Duration.seconds(3 * rendition.targetDuration)
      guard let held = exchange.hold(request, for: patience, otherwise: current) else {
        return .prepared(ViewerErrors.busy)
      }
      place.slot.wait(
        held, for: .segment(sequence, of: rendition.name), audience, isProgram: place.isProgram,
        at: exchange.server)
      return .held(held)
    }
  }

  /// Has a stream in the table that other nodes may have, for somebody who may watch it.
  ///
  /// - Returns: why it isn't there.
  private func follow(
    _ key: StreamKey, _ isProgram: Bool, _ request: borrowing Request
  ) -> PreparedResponse? {
    // Who may not watch it has nobody asked for it.
    if case .refused(let refusal) = gate.check(request, key, isProgram: isProgram) {
      return refusal
    }
    switch remote?.follow(key) {
    case .begun(let snapshot):
      table.update(snapshot, answers: false)
      return nil
    case .full: return ViewerErrors.overloaded
    case .unknown: return ViewerErrors.noOrigin
    case .absent, nil: return ViewerErrors.notFound
    }
  }

  /// Has what answers a viewer counted.
  ///
  /// - Parameters:
  ///   - exchange: with the viewer.
  ///   - place: of the stream.
  ///   - rendition: its place in the snapshot; nil for what is about all of them.
  private func count(
    _ exchange: borrowing Exchange, _ place: Place, _ rendition: Int? = nil
  ) {
    if let tallies = place.slot.tallies { exchange.count(into: tallies.viewer(of: rendition)) }
  }

  /// Counts the viewer as present, and sends it to the next process of this node where that goes on
  /// with the stream.
  private func note(
    _ request: borrowing Request, _ exchange: borrowing Exchange, _ slot: StreamTable.Slot,
    _ audience: Audience
  ) {
    var hasher = Hasher()
    exchange.client.hashHost(into: &hasher)
    request.withValue(.userAgent) { value in
      unsafe value.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
    if case .holder(let token, _) = audience { hasher.combine(token) }
    let viewer = UInt64(bitPattern: Int64(hasher.finalize()))
    slot.viewers.note(viewer, now: Self.second(exchange))
    if slot.isLeft { exchange.leave() }
  }

  private static func second(_ exchange: borrowing Exchange) -> UInt64 {
    exchange.server.loop.now.nanoseconds / 1_000_000_000
  }
}
