import EventLoop
import Telemetry
import Bytes
import HTTP1
import HTTPSemantics
import TLS

extension Connection {
  private static let inboxLimit = 64 << 10

  func ingestHTTP1(_ bytes: borrowing Span<UInt8>) {
    guard let http1 else { return }
    if http1.inbox.isEmpty {
      let used = read(bytes, http1)
      if used < bytes.count, !isClosed {
        http1.inbox.append(copying: bytes.extracting(droppingFirst: used))
      }
    } else {
      http1.inbox.append(copying: bytes)
      readInbox(http1)
    }
    commit()
    // Nobody makes this node hold more than the answers it is owed.
    if http1.inbox.count >= Self.inboxLimit { readIsPaused = true }
  }

  private func readInbox(_ http1: HTTP1Exchange) {
    var inbox: [UInt8] = []
    swap(&inbox, &http1.inbox)
    let used = read(inbox.span, http1)
    guard used < inbox.count, closing == nil || http1.phase != .head else { return }
    if used > 0 { inbox.removeFirst(used) }
    http1.inbox = inbox
  }

  /// Queues what fits; returns how many bytes of plaintext that was, or 1 where input was read.
  func produceHTTP1() -> Int {
    guard let http1, stage == .http1 else { return 0 }
    let before = room
    if http1.phase == .sending {
      proceed(http1)
      commit()
    }
    if http1.phase == .head, !http1.inbox.isEmpty, closing == nil {
      let waiting = http1.inbox.count
      readInbox(http1)
      commit()
      if http1.inbox.count < waiting { return max(1, before - room) }
    }
    return before - room
  }

  /// Reads requests until one has to wait; returns how many bytes were used.
  private func read(_ bytes: borrowing Span<UInt8>, _ http1: HTTP1Exchange) -> Int {
    var offset = 0
    do throws(RequestError) {
      while closing == nil {
        switch http1.phase {
        case .head:
          // Answers without a body ask for no room themselves.
          guard offset < bytes.count, room - server.stage.count >= TLSBuffers.recordBytes else {
            return offset
          }
          let rest = bytes.extracting(droppingFirst: offset)
          let limits = server.configuration.request
          guard let end = try http1.scanner.scan(rest, from: http1.scanned, limits: limits) else {
            http1.scanned = rest.count
            return offset
          }
          http1.scanned = 0
          offset += end
          http1.framing = try HeadParser.parse(rest.extracting(first: end), into: &server.request)
          begin(http1)
        case .body:
          switch try http1.decoder.next(bytes, at: &offset) {
          case .data(let range):
            bodyReceived(bytes.extracting(range), stream: http1.ordinal)
          case .needsMore: return offset
          case .end:
            http1.phase = .waiting
            bodyEnded(stream: http1.ordinal)
          }
        case .waiting, .sending: return offset
        }
      }
    } catch {
      closing = .malformed
      leavesInput = true
      answerError(error.status)
    }
    if offset < bytes.count { leavesInput = true }
    return bytes.count
  }

  /// A head is complete: asks the handler.
  private func begin(_ http1: HTTP1Exchange) {
    http1.ordinal += 1
    http1.isVersion10 = server.request.version == 0
    let hasBody = http1.framing.body != .none
    http1.decoder = BodyDecoder(http1.framing.body)
    http1.phase = hasBody ? .body : .waiting
    if requestCount + 1 >= server.configuration.maximumRequestsPerConnection {
      http1.framing.keepsAlive = false
    }
    dispatch(server.request, stream: http1.ordinal, hasBody: hasBody)
    if http1.phase == .body, http1.framing.expectsContinue {
      ResponseWriter.appendContinue(to: &server.stage)
    }
    if http1.phase == .body, pending[http1.ordinal]?.isCollecting != true {
      // Held with a body that nobody asked for: it is read and dropped.
      http1.framing.keepsAlive = false
    }
  }

  // MARK: Responding

  /// Starts a response whose body is in memory.
  func beginHTTP1(_ head: HeaderBlock, _ body: [UInt8], _ range: Range<Int>) {
    guard let http1 else { return }
    startResponse(http1, head, chunked: false)
    http1.body = body
    http1.position = range.lowerBound
    http1.end = range.upperBound
    proceed(http1)
    commit()
  }

  /// Starts a response whose body is pulled.
  func beginHTTP1(_ head: HeaderBlock, _ contentLength: Int?) {
    guard let http1 else { return }
    http1.isStreaming = true
    http1.isChunked = contentLength == nil && !http1.isVersion10
    http1.owed = contentLength ?? Int.max
    // HTTP/1.0 knows a body of unknown length by the end of the connection.
    if contentLength == nil, http1.isVersion10 { http1.framing.keepsAlive = false }
    startResponse(http1, head, chunked: http1.isChunked)
    proceed(http1)
    commit()
  }

  /// Answers something that could not be understood; `closing` is set.
  func beginHTTP1Error(_ response: PreparedResponse) {
    guard let http1 else { return }
    http1.framing.keepsAlive = false
    http1.phase = .waiting
    send(http1.ordinal, response.identity, isHead: false)
  }

  private func startResponse(_ http1: HTTP1Exchange, _ head: HeaderBlock, chunked: Bool) {
    // Answered before its body has come: what follows can't be told from a request.
    if http1.phase == .body {
      http1.framing.keepsAlive = false
      leavesInput = true
    }
    if closing != nil || isLeaving { http1.framing.keepsAlive = false }
    http1.phase = .sending
    http1.tally = takeTally()
    http1.allowance = isPaced(http1.ordinal) ? 0 : .max
    ResponseWriter.append(
      head, server.common(isSecure, with: head),
      ResponseWriter.Framing(
        chunked: chunked, keepsAlive: http1.framing.keepsAlive, isVersion10: http1.isVersion10),
      to: &server.stage)
  }

  /// Queues as much of the response as there is room for.
  private func proceed(_ http1: HTTP1Exchange) {
    while true {
      if http1.position == http1.end {
        guard http1.isStreaming else { return endResponse(http1) }
        guard !http1.sourceIsPending, nextPiece(http1) else { return }
        continue
      }
      // One record is kept for the heads and chunk lines that come without asking.
      let room = room - TLSBuffers.recordBytes - server.stage.count
      guard room > 64 else { return }
      let start = http1.position
      if http1.allowance == 0 {
        http1.allowance = http1.isHeldByPace ? 0 : allowance(of: http1.ordinal)
        if http1.allowance == 0 {
          http1.isHeldByPace = true
          return
        }
      }
      defer {
        http1.allowance -= http1.position - start
        http1.tally?.add(http1.position - start)
      }
      let left = min(http1.end - http1.position, http1.allowance)
      if http1.isChunked {
        let count = min(left, room - 32, TLSBuffers.recordBytes - 32)
        guard count > 0 else { return }
        ResponseWriter.appendChunkHead(count, to: &server.stage)
        stageBody(http1, count)
        ResponseWriter.appendChunkEnd(to: &server.stage)
        if server.stage.count >= TLSBuffers.recordBytes { commit() }
      } else if left <= 4096 || server.stage.count > 0 {
        // Small, or it fills up the record that the head has begun.
        let unfilled = TLSBuffers.recordBytes - server.stage.count % TLSBuffers.recordBytes
        stageBody(http1, min(left, room, unfilled))
        if server.stage.count >= TLSBuffers.recordBytes { commit() }
      } else {
        let range = http1.position..<http1.position + min(left, room)
        write(http1.body.span.extracting(range))
        http1.position = range.upperBound
      }
      if isClosed { return }
    }
  }

  private func stageBody(_ http1: HTTP1Exchange, _ count: Int) {
    let range = http1.position..<http1.position + count
    server.stage.append(copying: http1.body.span.extracting(range))
    http1.position = range.upperBound
  }

  /// Takes the next piece from the source; false where there is none now.
  private func nextPiece(_ http1: HTTP1Exchange) -> Bool {
    switch pull(http1.ordinal) {
    case .bytes(let bytes, let range):
      guard range.count <= http1.owed else { return fail(http1) }
      if http1.owed != .max { http1.owed -= range.count }
      http1.body = bytes
      http1.position = range.lowerBound
      http1.end = range.upperBound
      return true
    case .pending:
      http1.sourceIsPending = true
      return false
    case .end:
      guard http1.owed == 0 || http1.owed == .max else { return fail(http1) }
      http1.isStreaming = false
      if http1.isChunked { ResponseWriter.appendLastChunk(to: &server.stage) }
      return true
    case .failed: return fail(http1)
    }
  }

  /// The body can't be completed: what tells the client is a connection without its end.
  private func fail(_ http1: HTTP1Exchange) -> Bool {
    server.stage.removeAll(keepingCapacity: true)
    end(.bodyFailed)
    return false
  }

  private func endResponse(_ http1: HTTP1Exchange) {
    http1.body = []
    http1.position = 0
    http1.end = 0
    http1.isChunked = false
    http1.tally = nil
    http1.allowance = .max
    http1.isHeldByPace = false
    paceEnded(http1.ordinal)
    sourceEnded(http1.ordinal)
    http1.phase = .head
    if !http1.framing.keepsAlive {
      if closing == nil { closing = isLeaving ? .drained : .finished }
      if !http1.inbox.isEmpty { leavesInput = true }
      http1.inbox = []
    }
  }

  /// Queues what was put together in the loop's stage.
  func commit() {
    guard !server.stage.isEmpty else { return }
    var stage: [UInt8] = []
    swap(&stage, &server.stage)
    if !isClosed { write(stage.span) }
    stage.removeAll(keepingCapacity: true)
    swap(&stage, &server.stage)
  }
}
