import Bytes
import COpenSSL

/// One TLS connection without a socket: ciphertext in, plaintext out, and the other way round.
///
/// The owner reads the socket into a scratch buffer of its loop and calls `receive`; whatever the
/// session has to send stands in its output (`withOutput`, `consumeOutput`) until the owner has
/// sent it. An idle session holds no buffer at all. Confined to the loop whose `TLSBuffers` it
/// uses.
@safe package final class TLSSession {
  /// What became of a call.
  package enum Progress: Equatable, Sendable {
    /// This many bytes of plaintext were delivered or taken.
    case done(bytes: Int)
    /// The peer has to speak first (a handshake, or the rest of a record).
    case wantRead
    /// The output is full: send it, then try again.
    case wantWrite
    /// No more plaintext either way; `closeReason` says why. Output may still hold an alert to
    /// send.
    case closed
  }

  package let context: TLSContext
  package let buffers: TLSBuffers
  /// Why the session is closed, or nil while it is not.
  package var closeReason: TLSCloseReason? { state.closeReason }
  /// Whether the handshake is still going on: `write` takes nothing until it ends.
  package var isHandshaking: Bool { state.isHandshaking }
  /// Whether we have said close_notify.
  package var hasShutDown: Bool { state.hasShutDown }

  private struct State {
    var closeReason: TLSCloseReason?
    var isHandshaking = true
    var hasShutDown = false
  }

  // The compiler sees all uses of what only this module sees, and that none overlap: it then checks
  // none of them when the program runs, as it did seven times for each response.
  private var state = State()

  /// Whether records go from their page into the output without a copy (`DirectSealing`).
  var sealsDirectly = false

  let ssl: OpaquePointer
  let io: UnsafeMutablePointer<GatherIO>

  /// Makes the server's end of a connection, or nil when out of memory.
  package convenience init?(server context: TLSContext, buffers: TLSBuffers) {
    self.init(context: context, buffers: buffers)
    unsafe SSL_set_accept_state(ssl)
  }

  /// Makes the client's end; its first flight stands in the output at once.
  ///
  /// - Parameters:
  ///   - context: a client's.
  ///   - serverName: a DNS name (sent as SNI) or an IP address; the server's certificate must have
  ///     it.
  ///   - buffers: those of the loop.
  ///   - resuming: what `resumption` gave after an earlier connection to the same server.
  package convenience init?(
    client context: TLSContext, serverName: String, buffers: TLSBuffers,
    resuming: TLSResumption? = nil
  ) {
    self.init(context: context, buffers: buffers)
    unsafe SSL_set_connect_state(ssl)
    guard setPeerName(serverName) else { return nil }
    if let resuming { unsafe SSL_set_session(ssl, resuming.raw) }
    _ = handshake()
  }

  private init?(context: TLSContext, buffers: TLSBuffers) {
    guard let first = unsafe context.raw.first, let ssl = unsafe SSL_new(first) else {
      ERR_clear_error()
      return nil
    }
    let io = UnsafeMutablePointer<GatherIO>.allocate(capacity: 1)
    unsafe io.initialize(to: GatherIO(pool: buffers.storage))
    guard let bio = unsafe GatherBIO.make(io) else {
      unsafe SSL_free(ssl)
      unsafe io.deallocate()
      return nil
    }
    unsafe SSL_set_bio(ssl, bio, bio)
    unsafe (self.ssl, self.io) = (ssl, io)
    self.context = context
    self.buffers = buffers
  }

  deinit {
    // Else libssl takes a connection that ended without close_notify for a reason never to resume
    // it.
    unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
    unsafe SSL_free(ssl)
    unsafe io.pointee.releaseOutput()
    unsafe io.deallocate()
  }

  // MARK: Receiving

  /// Takes everything that was read from the socket and hands on what it says.
  ///
  /// - Parameters:
  ///   - ciphertext: all of it is consumed; a record that is not whole yet waits inside libssl.
  ///   - plaintext: called with what was decrypted, in the loop's scratch: once as a rule, and
  ///     again for every further 64 KiB. May call `write` and `shutdown`, never `receive`.
  /// - Returns: `.done` with the bytes handed on, `.wantRead` where there were none, `.closed`.
  package func receive(
    _ ciphertext: borrowing Span<UInt8>, plaintext: (borrowing Span<UInt8>) -> Void
  ) -> Progress {
    guard closeReason == nil else { return .closed }
    return unsafe ciphertext.withUnsafeBufferPointer { bytes in
      unsafe io.pointee.input = bytes.baseAddress
      unsafe io.pointee.inputCount = bytes.count
      defer {
        unsafe io.pointee.input = nil
        unsafe io.pointee.inputCount = 0
      }
      if isHandshaking, let waiting = handshake() { return waiting }
      defer { releaseBuffers() }
      return decrypt(plaintext)
    }
  }

  /// The peer's bytes have ended (`read` gave 0, or the connection was reset).
  ///
  /// Without a close_notify before it, what the application saw last may have been cut off.
  package func receiveEnd() {
    if closeReason == nil { close(hasShutDown ? .local : .truncated) }
  }

  /// Decrypts until the input is used up.
  private func decrypt(_ plaintext: (borrowing Span<UInt8>) -> Void) -> Progress {
    let plain = unsafe buffers.storage.pointee.plain
    let capacity = unsafe buffers.storage.pointee.plainCapacity
    var filled = 0
    var total = 0
    while closeReason == nil {
      OpenSSLErrors.clear()
      let count = unsafe SSL_read(ssl, plain + filled, Int32(capacity - filled))
      if count > 0 {
        filled += Int(count)
        total += Int(count)
        if filled == capacity {
          unsafe plaintext(UnsafeBufferPointer(start: plain, count: filled).span)
          filled = 0
        }
        continue
      }
      let error = unsafe SSL_get_error(ssl, count)
      if filled > 0 { unsafe plaintext(UnsafeBufferPointer(start: plain, count: filled).span) }
      if closeReason != nil { break }
      if error == SSL_ERROR_WANT_READ, unsafe !io.pointee.overflowed {
        return total > 0 ? .done(bytes: total) : .wantRead
      }
      if error == SSL_ERROR_ZERO_RETURN {
        let reason: TLSCloseReason = hasShutDown ? .local : .closeNotify
        shutdown()
        close(reason)
      } else {
        fail(error)
      }
    }
    return .closed
  }

  /// Goes on with the handshake: nil when it is done, else what to return to the owner.
  private func handshake() -> Progress? {
    OpenSSLErrors.clear()
    let result = unsafe SSL_do_handshake(ssl)
    if result == 1, unsafe !io.pointee.overflowed {
      state.isHandshaking = false
      sealsDirectly = canSealDirectly
      return nil
    }
    let error = unsafe SSL_get_error(ssl, result)
    if error == SSL_ERROR_WANT_READ, unsafe !io.pointee.overflowed { return .wantRead }
    fail(error)
    return .closed
  }

  /// Frees libssl's record buffers, 33 KiB, unless half a record waits in them.
  func releaseBuffers() {
    if !isHandshaking { unsafe _ = SSL_free_buffers(ssl) }
  }

  // MARK: Closing

  /// Says close_notify, once: it stands in the output behind all that was written.
  ///
  /// `write` is then over; `receive` goes on until the peer has said it too.
  package func shutdown() {
    guard closeReason == nil, !hasShutDown else { return }
    state.hasShutDown = true
    guard !isHandshaking else { return close(.local) }
    OpenSSLErrors.clear()
    if unsafe SSL_shutdown(ssl) < 0 { ERR_clear_error() }
  }

  /// Records the first reason; nothing goes in or out of libssl after it.
  func close(_ reason: TLSCloseReason) {
    if closeReason == nil { state.closeReason = reason }
    state.isHandshaking = false
  }

  /// Closes for what libssl says is wrong: its alert, if any, stands in the output.
  func fail(_ error: Int32) {
    if unsafe io.pointee.overflowed {
      ERR_clear_error()
      close(.outputOverflow)
    } else if error == SSL_ERROR_SSL {
      close(.taken())
    } else {
      ERR_clear_error()
      close(.failure)
    }
  }
}
