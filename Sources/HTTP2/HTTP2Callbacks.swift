import CNGHTTP2
import HTTPSemantics
import Telemetry

/// The functions that libnghttp2 calls; each does little and reaches the session's context.
enum HTTP2Callbacks {
  static func install(_ callbacks: OpaquePointer) {
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, beginHeaders)
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, header)
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frameReceived)
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, dataReceived)
    unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, invalidFrame)
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frameSent)
    unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, frameNotSent)
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
    unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks, sendData)
  }

  /// Packs the next DATA frame: how much of which stream.
  ///
  /// Nothing is copied here.
  static let readData: nghttp2_data_source_read_callback = {
    _, stream, _, length, flags, source, context in
    guard let state = unsafe source?.pointee.ptr?.assumingMemoryBound(to: ResponseState.self),
      let flags = unsafe flags, let context = unsafe sessionContext(context)
    else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
    // PAUSE is said here, before a header is packed: the frame buffer belongs to all sessions.
    let storage = unsafe context.pointee.storage
    let room = unsafe HTTP2Workspace.recordBytes - 9 - storage.pointee.staged
    let hasTail = unsafe storage.pointee.tail.count > 0
    if room < 1024 || hasTail {
      unsafe storage.pointee.isPaused = true
      return Int(NGHTTP2_ERR_PAUSE.rawValue)
    }
    unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
    if unsafe state.pointee.position == state.pointee.end, unsafe state.pointee.isStreaming {
      switch unsafe context.pointee.owner.nextPiece(of: stream) {
      case .bytes(let bytes, let range):
        unsafe state.pointee.body = bytes
        unsafe state.pointee.position = range.lowerBound
        unsafe state.pointee.end = range.upperBound
      case .pending: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
      case .failed: return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
      case .end: unsafe state.pointee.isStreaming = false
      }
    }
    let left = unsafe state.pointee.end - state.pointee.position
    if left > 0, unsafe state.pointee.allowance == 0 {
      let granted = unsafe context.pointee.owner.allowance(of: stream)
      if granted == 0 { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
      unsafe state.pointee.allowance = granted
    }
    let count = min(left, length, room, unsafe state.pointee.allowance)
    if count == left, unsafe !state.pointee.isStreaming {
      unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
    }
    return count
  }
}

@inline(__always)
private func sessionContext(
  _ pointer: UnsafeMutableRawPointer?
) -> UnsafeMutablePointer<SessionContext>? {
  unsafe pointer?.assumingMemoryBound(to: SessionContext.self)
}

private let failure = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

private func sendData(
  _: OpaquePointer?, _ frame: UnsafeMutablePointer<nghttp2_frame>?,
  _ header: UnsafePointer<UInt8>?, _ length: Int,
  _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let state = unsafe source?.pointee.ptr?.assumingMemoryBound(to: ResponseState.self),
    let header = unsafe header, let context = unsafe sessionContext(context)
  else { return failure }
  let storage = unsafe context.pointee.storage
  let staged = unsafe storage.pointee.staged
  // `readData` has left room, and no padding is ever asked for.
  guard staged + 9 + length <= HTTP2Workspace.stageBytes else { return failure }
  unsafe state.pointee.allowance -= length
  unsafe state.pointee.tally?.add(length)
  let target = unsafe storage.pointee.stage + staged
  unsafe target.update(from: header, count: 9)
  if length >= HTTP2Workspace.leastTailBytes {
    let position = unsafe state.pointee.position
    // Held here: the stream may be closed before the record is sealed.
    unsafe storage.pointee.tail = HTTP2Workspace.Tail(
      body: state.pointee.body, start: position, count: length)
    unsafe state.pointee.position = position + length
    unsafe storage.pointee.staged = staged + 9
    return 0
  }
  if length > 0 {
    let position = unsafe state.pointee.position
    unsafe state.pointee.body.withUnsafeBufferPointer { body in
      guard let base = body.baseAddress, position + length <= body.count else { return }
      unsafe (target + 9).update(from: base + position, count: length)
    }
    unsafe state.pointee.position = position + length
  }
  unsafe storage.pointee.staged = staged + 9 + length
  return 0
}

private func beginHeaders(
  _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame = unsafe frame, let context = unsafe sessionContext(context) else {
    return failure
  }
  unsafe context.pointee.fieldCount = 0
  unsafe context.pointee.fieldBytes = 0
  guard unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST else { return 0 }
  if unsafe context.pointee.pooled == nil {
    unsafe context.pointee.pooled = context.pointee.storage.pointee.takeRequest()
  } else {
    unsafe context.pointee.pooled?.pointee.request.reset()
  }
  unsafe context.pointee.requestError = nil
  unsafe context.pointee.openStreams += 1
  return 0
}

private func header(
  _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ name: UnsafePointer<UInt8>?,
  _ nameCount: Int, _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _: UInt8,
  _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame = unsafe frame, let name = unsafe name, let value = unsafe value,
    let context = unsafe sessionContext(context)
  else { return failure }
  let limits = unsafe context.pointee.storage.pointee.requestLimits
  unsafe context.pointee.fieldCount += 1
  unsafe context.pointee.fieldBytes += nameCount + valueCount + 32
  guard unsafe context.pointee.fieldCount <= limits.fields,
    unsafe context.pointee.fieldBytes <= limits.fieldBytes
  else {
    unsafe context.pointee.violation = .headerList
    return failure
  }
  guard unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST,
    let pooled = unsafe context.pointee.pooled,
    unsafe context.pointee.requestError == nil
  else { return 0 }
  let nameSpan = unsafe Span(_unsafeStart: name, count: nameCount)
  let valueSpan = unsafe Span(_unsafeStart: value, count: valueCount)
  do throws(RequestError) {
    try unsafe pooled.pointee.request.add(http2Name: nameSpan, value: valueSpan)
  } catch {
    unsafe context.pointee.requestError = error
  }
  return 0
}

extension Request {
  /// Adds a field or a pseudo-header field of HTTP/2 (RFC 9113, 8.3).
  fileprivate mutating func add(
    http2Name name: borrowing Span<UInt8>, value: borrowing Span<UInt8>
  ) throws(RequestError) {
    guard name.count > 0, name[0] == 0x3a else {
      if name.count == 4, name.matches("host") {
        try set(authority: value)
        // Of two names nobody could tell who is meant (RFC 9113, 8.3.1).
        guard isAuthority(value) else { throw .malformed(.host) }
      }
      return try add(name: name, value: value)
    }
    if name.matches(":path") {
      try set(target: value)
    } else if name.matches(":method") {
      try set(method: value)
    } else if name.matches(":authority") {
      try set(authority: value)
    } else if name.matches(":scheme") {
      schemeIsHTTPS = value.matches("https")
    }
  }
}

private func frameReceived(
  _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame = unsafe frame, let context = unsafe sessionContext(context) else {
    return failure
  }
  let header = unsafe frame.pointee.hd
  let isLast = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
  switch UInt32(header.type) {
  case NGHTTP2_HEADERS.rawValue where unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST:
    guard let pooled = unsafe context.pointee.pooled else { return failure }
    let error = unsafe context.pointee.requestError
    unsafe pooled.pointee.request.set(version: 2)
    unsafe context.pointee.owner.received(
      pooled.pointee.request, error: error, on: header.stream_id, hasBody: !isLast)
    unsafe context.pointee.pooled = nil
    unsafe context.pointee.storage.pointee.give(pooled)
  case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
    if isLast { unsafe context.pointee.owner.endedBody(on: header.stream_id) }
  default: break
  }
  return unsafe context.pointee.violation == nil ? 0 : failure
}

private func dataReceived(
  _ session: OpaquePointer?, _ flags: UInt8, _ stream: Int32, _ bytes: UnsafePointer<UInt8>?,
  _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let context = unsafe sessionContext(context) else { return failure }
  if unsafe context.pointee.answered.contains(stream) {
    unsafe context.pointee.unwanted += count
    let ends = flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    if !ends, unsafe context.pointee.unwanted > SessionContext.mostUnwanted {
      unsafe nghttp2_submit_rst_stream(session, 0, stream, UInt32(NGHTTP2_NO_ERROR.rawValue))
    }
    return 0
  }
  guard let bytes = unsafe bytes, count > 0 else { return 0 }
  unsafe context.pointee.owner.receivedBody(Span(_unsafeStart: bytes, count: count), on: stream)
  return 0
}

/// A frame that libnghttp2 answers with a RST_STREAM, or with the end of the connection.
///
/// Charged here and not when the answer is sent: a peer that reads nothing would have them pile up.
private func invalidFrame(
  _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _: Int32,
  _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame = unsafe frame, let context = unsafe sessionContext(context) else {
    return failure
  }
  // A header block that is malformed ends without `frameReceived`.
  if unsafe UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue,
    let pooled = unsafe context.pointee.pooled
  {
    unsafe context.pointee.pooled = nil
    unsafe context.pointee.storage.pointee.give(pooled)
  }
  unsafe context.pointee.resetsCharged += 1
  let now = unsafe context.pointee.now
  let allowance = unsafe context.pointee.storage.pointee.limits.resetsSent
  if unsafe context.pointee.resetsSent.take(allowance, now: now) { return 0 }
  unsafe context.pointee.violation = .resetsSent
  return failure
}

private func frameSent(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?,
  _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame = unsafe frame, let context = unsafe sessionContext(context) else {
    return failure
  }
  let header = unsafe frame.pointee.hd
  switch UInt32(header.type) {
  case NGHTTP2_RST_STREAM.rawValue:
    let code = unsafe frame.pointee.rst_stream.error_code
    // What we cancel ourselves is not the peer's fault, and what we can't send neither.
    guard code != NGHTTP2_NO_ERROR.rawValue, code != NGHTTP2_CANCEL.rawValue,
      code != NGHTTP2_INTERNAL_ERROR.rawValue
    else { return 0 }
    if unsafe context.pointee.resetsCharged > 0 {
      unsafe context.pointee.resetsCharged -= 1
      return 0
    }
    let now = unsafe context.pointee.now
    let allowance = unsafe context.pointee.storage.pointee.limits.resetsSent
    if unsafe !context.pointee.resetsSent.take(allowance, now: now) {
      unsafe context.pointee.violation = .resetsSent
    }
  case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
    if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
      unsafe nghttp2_session_get_stream_remote_close(session, header.stream_id) == 0
    {
      unsafe answeredEarly(session, header.stream_id, context)
    }
  default: break
  }
  return 0
}

/// A frame can't be sent, such as a head that is larger than libnghttp2 puts together: its stream
/// would hear of nothing any more.
private func frameNotSent(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _: Int32,
  _: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame = unsafe frame else { return failure }
  let header = unsafe frame.pointee.hd
  // Where the stream has gone, its response has, too.
  guard UInt32(header.type) == NGHTTP2_HEADERS.rawValue,
    unsafe nghttp2_session_get_stream_user_data(session, header.stream_id) != nil
  else { return 0 }
  let code = UInt32(NGHTTP2_INTERNAL_ERROR.rawValue)
  return unsafe nghttp2_submit_rst_stream(session, 0, header.stream_id, code) == 0 ? 0 : failure
}

/// A stream is answered before its request has ended.
///
/// A small body is on its way as a rule, and ends well. A peer that sends more than that is told to
/// stop (RFC 9113, 8.1), and one that sends nothing is by the owner, in time.
private func answeredEarly(
  _ session: OpaquePointer?, _ stream: Int32, _ context: UnsafeMutablePointer<SessionContext>
) {
  if unsafe context.pointee.isShuttingDown {
    unsafe nghttp2_submit_rst_stream(session, 0, stream, UInt32(NGHTTP2_NO_ERROR.rawValue))
    return
  }
  unsafe context.pointee.answered.append(stream)
  // The answer is not kept for as long as the peer likes.
  guard
    let state = unsafe nghttp2_session_get_stream_user_data(session, stream)?
      .assumingMemoryBound(to: ResponseState.self)
  else { return }
  unsafe nghttp2_session_set_stream_user_data(session, stream, nil)
  let notifies = unsafe state.pointee.notifies
  unsafe context.pointee.drop(state)
  if notifies { unsafe context.pointee.owner.closed(stream, complete: true) }
}

private func streamClosed(
  _ session: OpaquePointer?, _ stream: Int32, _ code: UInt32,
  _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let context = unsafe sessionContext(context) else { return failure }
  unsafe context.pointee.openStreams -= 1
  if let index = unsafe context.pointee.answered.firstIndex(of: stream) {
    // Whose answer it was has been told.
    unsafe context.pointee.answered.remove(at: index)
    if unsafe context.pointee.answered.isEmpty { unsafe context.pointee.unwanted = 0 }
    return 0
  }
  guard
    let state = unsafe nghttp2_session_get_stream_user_data(session, stream)?
      .assumingMemoryBound(to: ResponseState.self)
  else {
    unsafe context.pointee.owner.closed(stream, complete: false)
    return 0
  }
  let notifies = unsafe state.pointee.notifies
  unsafe context.pointee.drop(state)
  if notifies {
    unsafe context.pointee.owner.closed(stream, complete: code == NGHTTP2_NO_ERROR.rawValue)
  }
  return 0
}
