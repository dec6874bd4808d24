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
  /// What an address under `/hls/` names.
  private enum Found {
    case master(Place)
    case playlist(Place, rendition: Int)
    case coming(Place, ComingRendition)
    case lacking(Place, PreparedResponse)
    case segment(Place, rendition: Int, SegmentResponse.Source)
    case missingSegment
    /// A playlist of a stream that isn't in the table, and that another node may have.
    case remotePlaylist(StreamKey, isProgram: Bool)
    /// A segment of a stream that another node may have.
    case remoteSegment(StreamKey, rendition: String)
    case remoteOther
    case recording(RecordingShelf.Entry, file: String)
    case nothing
  }

  /// A stream, and by which address it was asked for.
  private struct Place {
    let slot: StreamTable.Slot
    /// By the program's, which may be the main camera's stream or one of its own.
    let isProgram: Bool

    var snapshot: StreamSnapshot { slot.snapshot }
  }

  /// The plan's second address of a program's master playlist: `{wedding}.m3u8` follows.
  private static let dynamicPlaylist: StaticString = "/api/streams/playlist/"

  private static let notFound = PreparedResponse.error(
    404, code: "not_found", message: "There is no such stream, or nobody publishes it now.")
  /// A segment that is gone, or not there yet: not to be cached for longer than it may take.
  private static let noSegment = PreparedResponse.error(
    404, code: "no_segment", message: "This segment is no longer, or not yet, to be had.",
    cacheControl: "max-age=1")
  private static let otherPlan = PreparedResponse.error(
    403, code: "not_in_plan",
    message: "This quality is not in the plan; take one of the master playlist.")
  private static let noRecording = PreparedResponse.error(
    404, code: "no_recording", message: "This recording has no such file.")
  private static let badReload = PreparedResponse.error(
    400, code: "bad_reload",
    message: "_HLS_msn names a segment too far ahead, or is no number, or _HLS_part is alone.")
  private static let busy = PreparedResponse.error(
    503, code: "busy", message: "Too many viewers wait for this playlist on this node; try again.",
    fields: [("retry-after", "2")])
  private static let overloaded = PreparedResponse.error(
    503, code: "too_many_streams", message: "This node shows as many streams as it may; try again.",
    fields: [("retry-after", "2")])
  private static let starting = PreparedResponse.error(
    503, code: "starting",
    message: "The stream is live, and its first segment in this quality is being made; try again.",
    fields: [("retry-after", "2")])
  private static let noQuality = PreparedResponse.error(
    404, code: "no_quality",
    message: "This stream has no such quality; take one of the master playlist.")
  private static let wrongMethod = PreparedResponse.error(
    405, code: "method_not_allowed", message: "Use GET or HEAD here.",
    fields: [("allow", "GET, HEAD, OPTIONS")])
  private static let preflight = PreparedResponse.preflight()

  private static let programName = Array(Claims.programCamera.utf8)

  private let table: StreamTable
  package let gate: ViewerGate
  private let routes: RequestHandler
  private let recordings: RecordingSite?
  private let remote: RemoteStreams?
  private let pacing: ViewerPacing?

  /// Makes a handler of one loop.
  ///
  /// - Parameters:
  ///   - table: the loop's streams.
  ///   - gate: who may watch.
  ///   - routes: what isn't under `/hls/`.
  ///   - recordings: finished ones, where there are any.
  ///   - remote: streams that other nodes have; nil where this one has all.
  ///   - pacing: how fast segments are sent.
  package init(
    table: StreamTable, gate: ViewerGate, routes: RequestHandler,
    recordings: RecordingSite? = nil, remote: RemoteStreams? = nil,
    pacing: ViewerPacing = ViewerPacing()
  ) {
    self.pacing = pacing.isOn ? pacing : nil
    self.recordings = recordings
    self.remote = remote
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
    case .options: return .prepared(Self.preflight)
    default: return .prepared(Self.wrongMethod)
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
          guard place.snapshot.isComing(to: plan) else { return .prepared(Self.notFound) }
          return wait(
            request, exchange, place, for: .master(plan, startingWith: choice), audience)
        }
        note(request, exchange, place.slot, audience)
        place.snapshot.interest?.note(now: Self.second(exchange))
        let chosen = choice.flatMap { master.playlist(startingWith: $0) }
        return Response((chosen ?? master.playlist).response(for: audience))
      }
    case .playlist(let place, let rendition):
      switch gate.check(request, place.snapshot.key, isProgram: place.isProgram) {
      case .refused(let response): return .prepared(response)
      case .allowed(let audience, let plan):
        guard place.snapshot.renditions[rendition].isOpen(to: plan) else {
          return .prepared(Self.otherPlan)
        }
        note(request, exchange, place.slot, audience)
        place.snapshot.interest?.note(now: Self.second(exchange))
        place.snapshot.renditions[rendition].interest?.note(now: Self.second(exchange))
        return playlist(request, exchange, place, rendition, audience)
      }
    case .coming(let place, let rendition):
      switch gate.check(request, place.snapshot.key, isProgram: place.isProgram) {
      case .refused(let response): return .prepared(response)
      case .allowed(let audience, let plan):
        guard rendition.viewers >> UInt32(plan) & 1 == 1 else { return .prepared(Self.otherPlan) }
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
          return .prepared(Self.otherPlan)
        }
        pace(
          exchange, plan, place.snapshot.isOver ? 0 : place.snapshot.renditions[rendition].bitrate)
        switch source {
        case .memory(let response): return .prepared(response)
        case .disk(let file): return file.answer(request)
        case .elsewhere:
          return remote?.segments.handle(request, exchange) ?? .prepared(Self.noSegment)
        }
      }
    case .remoteSegment(let key, let rendition):
      switch gate.check(request, key) {
      case .refused(let refusal): return .prepared(refusal)
      case .allowed(_, let plan):
        guard !gate.needsToken || gate.allows(rendition, in: plan) else {
          return .prepared(Self.otherPlan)
        }
        pace(exchange, plan, 0)
        return remote?.segments.handle(request, exchange) ?? .prepared(Self.noSegment)
      }
    case .remoteOther: return remote?.others.handle(request, exchange) ?? .prepared(Self.notFound)
    case .recording(let recording, let file): return watch(recording, file, request, exchange)
    case .missingSegment: return .prepared(refusal(request) ?? Self.noSegment)
    case .nothing, .remotePlaylist: return .prepared(refusal(request) ?? Self.notFound)
    }
  }

  private func watch(
    _ recording: RecordingShelf.Entry, _ file: String, _ request: borrowing Request,
    _ exchange: borrowing Exchange
  ) -> Response {
    guard let recordings,
      let key = StreamKey(wedding: recording.wedding, camera: recording.camera)
    else { return .prepared(Self.notFound) }
    switch gate.check(request, key) {
    case .refused(let response): return .prepared(response)
    case .allowed(let audience, let plan):
      guard !recordings.isLimitedByPlan || gate.allows(recording.quality, in: plan) else {
        return .prepared(Self.otherPlan)
      }
      recordings.shelf.noteViewer(of: recording.id)
      pace(exchange, plan, 0)
      return recordings.answer(request, recording, file, audience) ?? .prepared(Self.noRecording)
    }
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
    guard
      let held = exchange.hold(request, for: place.snapshot.patience, otherwise: Self.starting)
    else { return .prepared(Self.busy) }
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
    case .badRequest: return .prepared(Self.badReload)
    case .hold(let sequence):
      let patience = Duration.seconds(3 * rendition.targetDuration)
      guard let held = exchange.hold(request, for: patience, otherwise: current) else {
        return .prepared(Self.busy)
      }
      place.slot.wait(
        held, for: .segment(sequence, of: rendition.name), audience, isProgram: place.isProgram,
        at: exchange.server)
      return .held(held)
    }
  }

  private func find(_ path: borrowing Span<UInt8>) -> Found {
    guard let address = ViewerPath(path) else { return .nothing }
    if let recording = recording(address, path) { return recording }
    let end = address.camera?.upperBound ?? address.wedding.upperBound
    guard let slot = table.slot(path.extracting(0..<end)) else {
      return remote == nil ? .nothing : unknown(address, path)
    }
    let isProgram = address.camera.map { path.extracting($0).matches(Self.programName) } ?? true
    let place = Place(slot: slot, isProgram: isProgram)
    let isIndex = path.extracting(address.file).matches("index.m3u8")
    guard let name = address.rendition else { return isIndex ? .master(place) : .nothing }
    let renditions = slot.snapshot.renditions
    for index in renditions.indices {
      guard path.extracting(name).matches(renditions[index].name) else { continue }
      if isIndex { return .playlist(place, rendition: index) }
      let file = path.extracting(address.file)
      if let response = renditions[index].segment(file) {
        return .segment(place, rendition: index, response)
      }
      // Its node may have announced it to others already.
      return remote != nil && !slot.snapshot.isOver
        && RenditionSnapshot.sequence(file).map { $0 >= renditions[index].nextSequence } == true
        ? .segment(place, rendition: index, .elsewhere) : .missingSegment
    }
    guard isIndex else { return slot.snapshot.version == 0 ? unknown(address, path) : .nothing }
    if !slot.snapshot.isOver {
      for coming in slot.snapshot.coming {
        if path.extracting(name).matches(coming.name) { return .coming(place, coming) }
        guard slot.snapshot.version == 0 else { continue }
        // Nothing is known of it yet, so it may be any.
        let asked = Array(copying: path.extracting(name))
        return .coming(place, ComingRendition(name: asked, viewers: coming.viewers))
      }
    }
    for lacking in slot.snapshot.lacking where path.extracting(name).matches(lacking.name) {
      return .lacking(place, lacking.response)
    }
    return .lacking(place, Self.noQuality)
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
      table.update(snapshot, nil)
      return nil
    case .full: return Self.overloaded
    case .absent, nil: return Self.notFound
    }
  }

  /// What a stream is asked for that isn't in the table.
  private func unknown(_ address: ViewerPath, _ path: borrowing Span<UInt8>) -> Found {
    if let camera = address.camera, path.extracting(camera).matches(RecordingSite.folderBytes) {
      return .remoteOther
    }
    if path.extracting(address.file).matches("index.m3u8") {
      if address.camera != nil {
        guard let key = address.key(in: path) else { return .nothing }
        return .remotePlaylist(key, isProgram: key.camera == Claims.programCamera)
      }
      let wedding = String(copying: path.extracting(address.wedding))
      return StreamKey(wedding: wedding, camera: Claims.programCamera)
        .map { .remotePlaylist($0, isProgram: true) } ?? .nothing
    }
    guard let rendition = address.rendition, let key = address.key(in: path),
      RenditionSnapshot.sequence(path.extracting(address.file)) != nil
    else { return .nothing }
    return .remoteSegment(key, rendition: String(copying: path.extracting(rendition)))
  }

  /// The file of a recording whose address it is; nil for all other addresses.
  private func recording(_ address: ViewerPath, _ path: borrowing Span<UInt8>) -> Found? {
    guard let recordings, let folder = address.camera, let id = address.rendition,
      path.extracting(folder).matches(RecordingSite.folderBytes),
      let entry = recordings.shelf.entry(String(copying: path.extracting(id))),
      path.extracting(address.wedding).matches(Array(entry.wedding.utf8))
    else { return nil }
    return .recording(entry, file: String(copying: path.extracting(address.file)))
  }

  private func findProgram(_ path: String) -> Found {
    guard let wedding = Self.program(path) else { return .nothing }
    let address = Array("/hls/\(wedding)/index.m3u8".utf8)
    return find(address.span)
  }

  /// The wedding of `/api/streams/playlist/{wedding}.m3u8`; nil for any other path.
  private static func program(_ path: String) -> String? {
    let prefix = "\(dynamicPlaylist)"
    guard path.hasPrefix(prefix), path.hasSuffix(".m3u8") else { return nil }
    let name = String(path.dropFirst(prefix.count).dropLast(5))
    return Claims.isName(name) ? name : nil
  }

  /// Counts the viewer as present.
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
  }

  private static func second(_ exchange: borrowing Exchange) -> UInt64 {
    exchange.server.loop.now.nanoseconds / 1_000_000_000
  }
}
