import Telemetry
import Bytes
import HTTP2
import EventLoop
import HTTPSemantics
import HTTPTypes

extension Connection {
  /// Asks the handler, and starts on its answer; `stream` is free of any answer before.
  func dispatch(_ request: borrowing Request, stream: Int32, hasBody: Bool) {
    requestCount += 1
    server.metrics.requests[http2 == nil ? 0 : 1].increment()
    let exchange = Exchange(connection: self, stream: stream)
    switch site.handler.handle(request, exchange) {
    case .prepared(let prepared): answer(stream, prepared, to: request)
    case .deferred(let call): begin(call, request, stream: stream, hasBody: hasBody)
    case .held: break
    case .streamed(let streamed):
      send(
        stream, streamed.head, streamed.contentLength, streamed.source,
        isHead: request.method == .head)
    }
  }

  /// Answers from memory, as the request's preconditions, range and encodings ask.
  func answer(
    _ stream: Int32, _ prepared: PreparedResponse, to request: borrowing Request
  ) {
    let isHead = request.method == .head
    guard request.isConditional, prepared.status == 200 else {
      let gzip = prepared.gzip != nil && request.acceptsGzip
      return send(stream, prepared.variant(gzip: gzip), isHead: isHead)
    }
    let ranged = request.has(.range) && prepared.allowsRanges
    let gzip = prepared.gzip != nil && !ranged && request.acceptsGzip
    let variant = prepared.variant(gzip: gzip)
    switch variant.validators.evaluate(request) {
    case .failed: return send(stream, server.standard.preconditionFailed.identity, isHead: isHead)
    case .notModified: return send(stream, variant.notModified, [], 0..<0)
    case .proceed: break
    }
    guard ranged else { return send(stream, variant, isHead: isHead) }
    let length = variant.body.count
    switch variant.validators.range(request, length: length) {
    case .whole: send(stream, variant, isHead: isHead)
    case .single(let range):
      let value = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)"
      let head = HeaderBlock(
        status: 206,
        fields: variant.fields + [("content-range", value), ("content-length", "\(range.count)")])
      send(stream, head, variant.body, range)
    case .several(let ranges): sendMultipart(stream, variant, ranges)
    case .unsatisfiable:
      // Whatever a cache may keep of the body, it must not keep this in its place.
      let ofBody = ["content-type", "cache-control", "etag", "last-modified"]
      let fields = variant.fields.filter { !ofBody.contains($0.name.lowercased()) }
      let head = HeaderBlock(
        status: 416,
        fields: fields + [
          ("cache-control", "no-store"), ("content-range", "bytes */\(length)"),
          ("content-length", "0"),
        ])
      send(stream, head, [], 0..<0)
    }
  }

  private func sendMultipart(
    _ stream: Int32, _ variant: PreparedResponse.Variant, _ ranges: [Range<Int>]
  ) {
    let type =
      variant.fields.first { $0.name.lowercased() == "content-type" }?.value
      ?? "application/octet-stream"
    let source = MultipartSource(variant.body, ranges, contentType: type)
    let fields = variant.fields.filter { $0.name.lowercased() != "content-type" }
    let head = HeaderBlock(
      status: 206,
      fields: fields + [
        ("content-type", "multipart/byteranges; boundary=\(source.boundary)"),
        ("content-length", "\(source.length)"),
      ])
    send(stream, head, source.length, source, isHead: false)
  }

  /// Sends a prepared response without looking at a request any more.
  func send(_ stream: Int32, _ variant: PreparedResponse.Variant, isHead: Bool) {
    send(stream, variant.head, variant.body, isHead ? 0..<0 : 0..<variant.body.count)
  }

  func send(_ stream: Int32, _ head: HeaderBlock, _ body: [UInt8], _ range: Range<Int>) {
    server.metrics.answered(head.status)
    server.refreshDate()
    if let http2 {
      http2.respond(
        stream, head: head, common: server.common(isSecure, with: head), body: body, range: range,
        isPaced: isPaced(stream), tally: takeTally())
    } else {
      beginHTTP1(head, body, range)
    }
  }

  /// Sends a response whose body is pulled from a source.
  func send(
    _ stream: Int32, _ head: HeaderBlock, _ contentLength: Int?, _ source: BodySource, isHead: Bool,
    isHeldBack: Bool = false
  ) {
    guard !isHead else {
      source.finished()
      return send(stream, head, [], 0..<0)
    }
    server.metrics.answered(head.status)
    server.refreshDate()
    source.waker = BodyWaker(
      mailbox: loop.mailbox, request: RequestKey(connection: id, stream: stream))
    bodies.add(source, of: stream, isHeldBack: isHeldBack)
    if let http2 {
      let common = server.common(isSecure, with: head)
      let isPaced = isPaced(stream)
      if !http2.respondStreaming(
        stream, head: head, common: common, isPaced: isPaced, tally: takeTally(),
        waits: isHeldBack)
      {
        paceEnded(stream)
        sourceEnded(stream)
      }
    } else {
      beginHTTP1(head, contentLength)
    }
  }

  /// What counts the answer that begins now.
  func takeTally() -> Tally? {
    guard let tally = nextTally else { return nil }
    nextTally = nil
    return tally
  }

  func sourceEnded(_ stream: Int32) {
    bodies.remove(stream)?.finished()
  }

  /// What a body's source has now.
  func pull(_ stream: Int32) -> BodyPiece {
    guard let body = bodies[stream] else { return .failed }
    let piece = body.isHeldBack ? .pending : body.source.next()
    if case .pending = piece { bodies.set(stream, isStalled: true) }
    return piece
  }

  /// A source that was pending says that it has something.
  func bodyReady(stream: Int32) {
    guard bodies.set(stream, isStalled: false) else { return }
    http2?.resume(stream)
    http1?.sourceIsPending = false
    loop.flushLater(self)
  }

  /// An error of the protocol layer, over HTTP/1.1: answered without a request, then closed.
  func answerError(_ status: Int) {
    beginHTTP1Error(server.standard.error(status))
  }

  // MARK: Held

  func hold(
    _ stream: Int32, isHead: Bool, acceptsGzip: Bool, for timeout: Duration,
    otherwise: ReadyResponse
  ) -> HeldRequest? {
    guard pending[stream] == nil,
      let token = server.hold(
        HeldRequests.Waiter(
          request: RequestKey(connection: id, stream: stream), isHead: isHead,
          acceptsGzip: acceptsGzip, otherwise: otherwise), for: timeout)
    else { return nil }
    pending[stream] = PendingRequest(
      .held(token), isHead: isHead, at: loop.now, tally: takeTally())
    return token
  }

  /// The wait is over.
  func released(_ waiter: HeldRequests.Waiter, with response: ReadyResponse) {
    let stream = waiter.request.stream
    guard let entry = pending.removeValue(forKey: stream) else { return }
    nextTally = entry.tally
    switch response {
    case .prepared(let prepared):
      let gzip = prepared.gzip != nil && waiter.acceptsGzip
      send(stream, prepared.variant(gzip: gzip), isHead: waiter.isHead)
      loop.flushLater(self)
    case .streamed(let streamed): begin(streamed, waiter)
    }
  }

  /// Sends what was waited for, if not by one alone.
  private func begin(_ streamed: StreamedResponse, _ waiter: HeldRequests.Waiter) {
    let stream = waiter.request.stream
    let waits = !waiter.isHead && server.begins(waiter.request)
    send(
      stream, streamed.head, streamed.contentLength, streamed.source, isHead: waiter.isHead,
      isHeldBack: waits)
    // At once: else all of a crowd would have a buffer with a head in it at the end of the turn.
    if waits { flush() } else { loop.flushLater(self) }
  }

  /// The others have their heads.
  func bodyMayBegin(stream: Int32) {
    guard bodies.letGo(stream) else { return }
    http2?.beginBody(stream)
    bodyReady(stream: stream)
  }

  /// The wait is over, and what was asked for is to be answered as it was asked.
  func released(_ waiter: HeldRequests.Waiter, with response: Response, to request: HTTPRequest) {
    let stream = waiter.request.stream
    guard let entry = pending.removeValue(forKey: stream) else { return }
    nextTally = entry.tally
    switch response {
    case .prepared(let prepared):
      answer(stream, prepared, to: Request(request, limits: server.configuration.request))
      loop.flushLater(self)
    case .streamed(let streamed): begin(streamed, waiter)
    case .deferred, .held:
      send(stream, server.standard.error(500).identity, isHead: waiter.isHead)
      loop.flushLater(self)
    }
  }

  // MARK: Deferred

  private func begin(
    _ call: APICall, _ request: borrowing Request, stream: Int32, hasBody: Bool
  ) {
    let isHead = request.method == .head
    guard pending.count < server.configuration.maximumDeferredPerConnection else {
      return send(stream, server.standard.error(503).identity, isHead: isHead)
    }
    let announced =
      request.withValue(.contentLength) { $0.decimal(in: 0..<$0.count) ?? Int.max } ?? 0
    guard announced <= call.bodyLimit else {
      return send(stream, server.standard.error(413).identity, isHead: isHead)
    }
    let copy = APIRequest(
      request: HTTPRequest(copying: request, isSecure: isSecure), client: client,
      isSecure: isSecure, isFromPeer: site.isForPeers)
    let entry = PendingRequest(
      .collecting(call, copy), isHead: isHead, at: loop.now, tally: takeTally())
    pending[stream] = entry
    guard hasBody else { return run(entry, stream) }
    if let http2 {
      let expects =
        request.withValue(.expect) { $0.matchesIgnoringCase("100-continue") } ?? false
      if expects { http2.sendContinue(stream) }
    }
  }

  func bodyReceived(_ bytes: borrowing Span<UInt8>, stream: Int32) {
    guard let entry = pending[stream], case .collecting(let call, var request) = entry.state
    else { return }
    let fits =
      request.body.count + bytes.count <= call.bodyLimit
      && bodyBytes + bytes.count <= server.configuration.requestBodyBytesPerConnection
    guard fits else {
      pending[stream] = nil
      bodyBytes -= request.body.count
      return send(stream, server.standard.error(413).identity, isHead: entry.isHead)
    }
    // Out of the enum while it grows: a second reference would copy it for every piece.
    entry.state = .collecting(call, APIRequest(request: request.request))
    request.body.append(copying: bytes)
    bodyBytes += bytes.count
    entry.state = .collecting(call, request)
  }

  func bodyEnded(stream: Int32) {
    guard let entry = pending[stream], entry.isCollecting else { return }
    run(entry, stream)
  }

  private func run(_ entry: PendingRequest, _ stream: Int32) {
    guard case .collecting(let call, let request) = entry.state else { return }
    bodyBytes -= request.body.count
    let mailbox = loop.mailbox
    let id = id
    entry.state = .running(
      Task.detached {
        let response = await call.handler(request)
        mailbox.submit { loop in
          (loop.channel(id) as? Connection)?.handlerAnswered(stream, response)
        }
      })
  }

  private func handlerAnswered(_ stream: Int32, _ response: APIResponse) {
    guard let entry = pending.removeValue(forKey: stream) else { return }
    nextTally = entry.tally
    var fields = response.response.headerFields.map { (name: $0.name.rawName, value: $0.value) }
    fields.removeAll { ["content-length", "date", "connection"].contains($0.name.lowercased()) }
    let status = response.response.status.code
    let hasBody = status != 204 && status != 304
    if hasBody { fields.append(("content-length", "\(response.body.count)")) }
    send(
      stream, HeaderBlock(status: status, fields: fields), response.body,
      entry.isHead || !hasBody ? 0..<0 : 0..<response.body.count)
    loop.flushLater(self)
  }
}

extension PreparedResponse {
  func variant(gzip wanted: Bool) -> Variant {
    if wanted, let gzip { return gzip }
    return identity
  }
}
