import CNGHTTP2
package import HTTPSemantics
package import Telemetry

/// The server's side of one HTTP/2 connection, without its socket: bytes in, requests out;
/// responses in, bytes out.
///
/// Confined to its loop. A wrapper of `nghttp2_session`, whose callbacks reach a plain struct, so
/// that a header costs no reference count.
@safe package final class HTTP2Session {
  private let raw: OpaquePointer
  private let workspace: HTTP2Workspace
  let context: UnsafeMutablePointer<SessionContext>

  /// Opens a session and queues its SETTINGS; nil when out of memory.
  ///
  /// - Parameters:
  ///   - owner: not retained; it outlives the session.
  ///   - workspace: of the loop.
  package init?(owner: any HTTP2SessionOwner, workspace: HTTP2Workspace) {
    let storage = unsafe workspace.storage
    let context = UnsafeMutablePointer<SessionContext>.allocate(capacity: 1)
    unsafe context.initialize(to: SessionContext(owner, storage))
    var raw: OpaquePointer?
    unsafe storage.pointee.lendsFrameBuffer = true
    let code = unsafe nghttp2_session_server_new3(
      &raw, workspace.callbacks, context, workspace.options, &storage.pointee.memory)
    unsafe storage.pointee.lendsFrameBuffer = false
    unsafe context.pointee.table = storage.pointee.tables.takeLast()
    guard code == 0, let raw = unsafe raw else {
      unsafe context.deinitialize(count: 1)
      unsafe context.deallocate()
      return nil
    }
    unsafe self.raw = raw
    self.workspace = workspace
    unsafe self.context = context
    let settings = [
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
        value: UInt32(workspace.limits.concurrentStreams)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
        value: UInt32(unsafe storage.pointee.requestLimits.fieldBytes)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES.rawValue), value: 1),
    ]
    guard unsafe nghttp2_submit_settings(raw, 0, settings, settings.count) == 0 else {
      return nil
    }
  }

  deinit {
    unsafe nghttp2_session_del(raw)
    if let pooled = unsafe context.pointee.pooled {
      unsafe context.pointee.storage.pointee.give(pooled)
    }
    // nghttp2_session_del frees its streams without a callback: the states are in our own list.
    while let state = unsafe context.pointee.firstState {
      unsafe context.pointee.drop(state)
    }
    unsafe context.deinitialize(count: 1)
    unsafe context.deallocate()
  }

  /// Takes bytes from the peer; requests reach the owner from inside this call.
  ///
  /// - Parameters:
  ///   - bytes: any part of the connection's bytes, in order.
  ///   - milliseconds: of a monotonic clock; the budgets refill by it.
  /// - Returns: nil, or what the peer has done too much of: the session then takes no more bytes,
  ///   and the owner sends `goodbye` and closes.
  package func receive(
    _ bytes: borrowing Span<UInt8>, at milliseconds: UInt64
  ) -> HTTP2Violation? {
    unsafe context.pointee.now = milliseconds
    guard unsafe context.pointee.admit(bytes) else { return violation }
    let used = unsafe bytes.withUnsafeBufferPointer {
      unsafe nghttp2_session_mem_recv(raw, $0.baseAddress, $0.count)
    }
    if let violation = unsafe context.pointee.violation { return violation }
    guard used < 0 else { return nil }
    return switch Int32(truncatingIfNeeded: used) {
    case NGHTTP2_ERR_FLOODED.rawValue: .flooded
    case NGHTTP2_ERR_NOMEM.rawValue: .failure
    default: .protocolError
    }
  }

  /// Lends out about one TLS record's worth of what there is to send, or two where frames came
  /// behind a large one.
  ///
  /// - Parameter emit: sends or queues all of the bytes: what was put together, and then a part of
  ///   a body where it stands; at most a record each time, unless the second is empty.
  /// - Returns: how many bytes there were; 0 when there is nothing to send now.
  package func produce(
    _ emit: (_ head: borrowing Span<UInt8>, _ body: borrowing Span<UInt8>) -> Void
  ) -> Int {
    let storage = unsafe context.pointee.storage
    unsafe storage.pointee.staged = 0
    unsafe storage.pointee.isPaused = false
    unsafe storage.pointee.mayHaveMore = true
    var total = 0
    while unsafe storage.pointee.staged < HTTP2Workspace.recordBytes {
      var pointer: UnsafePointer<UInt8>?
      let count = unsafe nghttp2_session_mem_send(raw, &pointer)
      guard count > 0, let pointer = unsafe pointer else {
        if count < 0 { unsafe context.pointee.violation = .failure }
        unsafe storage.pointee.mayHaveMore = storage.pointee.isPaused
        break
      }
      // The frame comes after the large one that was packed by the same call.
      let hadTail = unsafe storage.pointee.tail.count > 0
      if hadTail { total += flush(emit) }
      let staged = unsafe storage.pointee.staged
      unsafe (storage.pointee.stage + staged).update(from: pointer, count: count)
      unsafe storage.pointee.staged = staged + count
      if unsafe UInt32(pointer[3]) == NGHTTP2_HEADERS.rawValue { addFields(toFrameAt: staged) }
      if hadTail { break }
    }
    return total + flush(emit)
  }

  /// Writes the fields of a head of which libnghttp2 has written the status alone; the frame is the
  /// last in the stage.
  private func addFields(toFrameAt start: Int) {
    let storage = unsafe context.pointee.storage
    let frame = unsafe storage.pointee.stage + start
    let stream = (5..<9).reduce(Int32(0)) { unsafe $0 << 8 | Int32(frame[$1]) }
    guard
      let state = unsafe nghttp2_session_get_stream_user_data(raw, stream)?
        .assumingMemoryBound(to: ResponseState.self),
      let head = unsafe state.pointee.head, let common = unsafe state.pointee.common
    else { return }
    unsafe state.pointee.common = nil
    let end = unsafe common.writeLiterals(
      to: head.writeLiterals(to: storage.pointee.stage + storage.pointee.staged))
    let length = unsafe end - frame - 9
    unsafe frame[0] = UInt8(length >> 16)
    unsafe frame[1] = UInt8(truncatingIfNeeded: length >> 8)
    unsafe frame[2] = UInt8(truncatingIfNeeded: length)
    unsafe storage.pointee.staged = start + 9 + length
  }

  /// Whether another call of `produce` may give more than the last one has; for its owner, at once.
  package var mayHaveMore: Bool { unsafe context.pointee.storage.pointee.mayHaveMore }

  /// Hands out what has been put together.
  private func flush(
    _ emit: (_ head: borrowing Span<UInt8>, _ body: borrowing Span<UInt8>) -> Void
  ) -> Int {
    let storage = unsafe context.pointee.storage
    let staged = unsafe storage.pointee.staged
    guard staged > 0 else { return 0 }
    var tail = HTTP2Workspace.Tail()
    unsafe swap(&tail, &storage.pointee.tail)
    unsafe context.pointee.sent(staged + tail.count)
    let head = unsafe Span(_unsafeStart: storage.pointee.stage, count: staged)
    let body = tail.body.span.extracting(tail.start..<tail.start + tail.count)
    emit(head, body)
    unsafe storage.pointee.staged = 0
    return staged + tail.count
  }

  /// What else is wrong, for an owner that has just called `produce`.
  package var violation: HTTP2Violation? { unsafe context.pointee.violation }

  /// The frame that tells a peer why it is left: GOAWAY with the last stream that was served.
  ///
  /// Written by hand, since libnghttp2 promises nothing after a failed call.
  package func goodbye(_ violation: HTTP2Violation) -> [UInt8] {
    let last = unsafe UInt32(bitPattern: nghttp2_session_get_last_proc_stream_id(raw))
    let code: UInt32 =
      switch violation {
      case .protocolError: UInt32(NGHTTP2_PROTOCOL_ERROR.rawValue)
      case .closedStream: UInt32(NGHTTP2_STREAM_CLOSED.rawValue)
      case .failure: UInt32(NGHTTP2_INTERNAL_ERROR.rawValue)
      default: UInt32(NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
      }
    var frame: [UInt8] = [0, 0, 8, 7, 0, 0, 0, 0, 0]
    for shift in [24, 16, 8, 0] { frame.append(UInt8(truncatingIfNeeded: last >> shift)) }
    for shift in [24, 16, 8, 0] { frame.append(UInt8(truncatingIfNeeded: code >> shift)) }
    return frame
  }

  /// Answers a stream with a body that is in memory.
  ///
  /// - Parameters:
  ///   - stream: that has a request and no response yet.
  ///   - head: kept until it is sent.
  ///   - common: fields added to every response; lives as long as the loop.
  ///   - body: the array, shared.
  ///   - range: of `body`; empty sends END_STREAM with the head.
  ///   - isPaced: whether the owner says how much may be sent; it hears of the end then.
  ///   - tally: counts the bytes of the body as they are sent.
  /// - Returns: false where the stream has gone, or is reset as there are too many fields.
  @discardableResult
  package func respond(
    _ stream: Int32, head: HeaderBlock, common: HeaderBlock, body: [UInt8], range: Range<Int>,
    isPaced: Bool = false, tally: Tally? = nil
  ) -> Bool {
    let state = unsafe context.pointee.take()
    unsafe state.pointee.head = head
    unsafe state.pointee.body = body
    unsafe state.pointee.position = range.lowerBound
    unsafe state.pointee.end = range.upperBound
    unsafe state.pointee.isStreaming = false
    unsafe state.pointee.notifies = isPaced
    unsafe state.pointee.tally = tally
    unsafe state.pointee.allowance = isPaced ? 0 : .max
    return unsafe submit(
      stream, head, common, state, hasBody: !range.isEmpty,
      isLong: range.count >= HTTP2Workspace.leastLongBytes)
  }

  /// Answers a stream with a body that the owner's `nextPiece(of:)` gives piece by piece.
  ///
  /// - Parameters:
  ///   - stream: that has a request and no response yet.
  ///   - head: kept until it is sent.
  ///   - common: fields added to every response; lives as long as the loop.
  ///   - isPaced: whether the owner says how much may be sent.
  ///   - tally: counts the bytes of the body as they are sent.
  ///   - waits: whether nothing is asked for of the body before `beginBody(_:)`.
  /// - Returns: false where the stream has gone, or is reset as there are too many fields; the
  ///   owner then hears nothing of its answer.
  package func respondStreaming(
    _ stream: Int32, head: HeaderBlock, common: HeaderBlock, isPaced: Bool = false,
    tally: Tally? = nil, waits: Bool = false
  ) -> Bool {
    let state = unsafe context.pointee.take()
    unsafe state.pointee.head = head
    unsafe state.pointee.position = 0
    unsafe state.pointee.end = 0
    unsafe state.pointee.isStreaming = true
    unsafe state.pointee.notifies = true
    unsafe state.pointee.tally = tally
    unsafe state.pointee.allowance = isPaced ? 0 : .max
    return unsafe submit(stream, head, common, state, hasBody: true, isLong: true, waits: waits)
  }

  private func submit(
    _ stream: Int32, _ head: HeaderBlock, _ common: HeaderBlock,
    _ state: UnsafeMutablePointer<ResponseState>, hasBody: Bool, isLong: Bool, waits: Bool = false
  ) -> Bool {
    guard unsafe nghttp2_session_set_stream_user_data(raw, stream, state) == 0 else {
      unsafe context.pointee.drop(state)
      return false
    }
    // Without some of them it would be another response.
    guard unsafe 1 + head.entries.count + common.entries.count <= HTTP2Workspace.mostFields else {
      unsafe nghttp2_session_set_stream_user_data(raw, stream, nil)
      unsafe context.pointee.drop(state)
      _ = unsafe nghttp2_submit_rst_stream(
        raw, 0, stream, UInt32(NGHTTP2_INTERNAL_ERROR.rawValue))
      return false
    }
    let fields = unsafe context.pointee.storage.pointee.fields
    var count = unsafe StatusField.write(head.status, to: fields)
    if isLong, unsafe !context.pointee.hasContinued,
      head.mostLiteralBytes + common.mostLiteralBytes <= HTTP2Workspace.mostLiteralBytes
    {
      unsafe state.pointee.common = common
    } else {
      count = unsafe head.write(to: fields, at: count)
      count = unsafe common.write(to: fields, at: count)
    }
    var provider = unsafe Self.provider(state)
    let code: Int32 =
      if waits {
        unsafe nghttp2_submit_headers(raw, 0, stream, nil, fields, count, nil)
      } else if hasBody {
        unsafe nghttp2_submit_response(raw, stream, fields, count, &provider)
      } else {
        unsafe nghttp2_submit_response(raw, stream, fields, count, nil)
      }
    guard code == 0 else {
      unsafe nghttp2_session_set_stream_user_data(raw, stream, nil)
      unsafe context.pointee.drop(state)
      return false
    }
    return true
  }

  private static func provider(
    _ state: UnsafeMutablePointer<ResponseState>
  ) -> nghttp2_data_provider {
    var provider = unsafe nghttp2_data_provider()
    unsafe provider.source.ptr = UnsafeMutableRawPointer(state)
    unsafe provider.read_callback = HTTP2Callbacks.readData
    return unsafe provider
  }

  /// A streamed body that was to wait may begin.
  package func beginBody(_ stream: Int32) {
    guard
      let state = unsafe nghttp2_session_get_stream_user_data(raw, stream)?
        .assumingMemoryBound(to: ResponseState.self)
    else { return }
    var provider = unsafe Self.provider(state)
    _ = unsafe nghttp2_submit_data(
      raw, UInt8(NGHTTP2_FLAG_END_STREAM.rawValue), stream, &provider)
  }

  /// Tells the peer to go on and send its body.
  package func sendContinue(_ stream: Int32) {
    unsafe context.pointee.hasContinued = true
    let fields = unsafe context.pointee.storage.pointee.fields
    let count = unsafe StatusField.write(100, to: fields)
    _ = unsafe nghttp2_submit_headers(raw, 0, stream, nil, fields, count, nil)
  }

  /// A streamed body that was `.pending` has something.
  package func resume(_ stream: Int32) { _ = unsafe nghttp2_session_resume_data(raw, stream) }

  /// Ends a stream without an answer; it does not count against the peer.
  package func reset(_ stream: Int32, refused: Bool = false) {
    let code = refused ? NGHTTP2_REFUSED_STREAM : NGHTTP2_CANCEL
    _ = unsafe nghttp2_submit_rst_stream(raw, 0, stream, UInt32(code.rawValue))
  }

  /// Says that the connection will end soon; requests on their way are still served.
  package func announceShutdown() { _ = unsafe nghttp2_submit_shutdown_notice(raw) }

  /// Takes no new request from here on.
  package func shutDown() {
    unsafe context.pointee.isShuttingDown = true
    endAnswered()
    let last = unsafe nghttp2_session_get_last_proc_stream_id(raw)
    _ = unsafe nghttp2_submit_goaway(raw, 0, last, UInt32(NGHTTP2_NO_ERROR.rawValue), nil, 0)
  }

  /// Whether requests have been answered whose ends are still to come.
  package var awaitsEnds: Bool { unsafe !context.pointee.answered.isEmpty }

  /// Waits no longer for the ends of requests that have been answered.
  package func endAnswered() {
    for stream in unsafe context.pointee.answered {
      _ = unsafe nghttp2_submit_rst_stream(raw, 0, stream, UInt32(NGHTTP2_NO_ERROR.rawValue))
    }
  }

  /// Gives memory back that is of no use while no stream is open; what comes next is as usual.
  ///
  /// Costs two microseconds with the next request, so it is for sessions that have done nothing for
  /// a while.
  /// - Returns: whether there was any.
  @discardableResult
  package func rest() -> Bool {
    guard unsafe context.pointee.openStreams == 0, let table = unsafe context.pointee.table else {
      return false
    }
    return unsafe context.pointee.storage.pointee.tables.giveBack(table)
  }

  /// Responses that are not wholly sent yet.
  package var responsesInProgress: Int { unsafe context.pointee.responses }

  /// Requests whose streams are open: being received, waiting, or being answered.
  package var openStreams: Int { unsafe context.pointee.openStreams }

  /// Whether a header block has begun and not ended: a slow one is the header timeout's business.
  package var isInsideHeaders: Bool { unsafe context.pointee.pooled != nil }

  /// Whether both sides have said all they will: the connection can be closed.
  package var isFinished: Bool {
    unsafe nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0
  }
}
