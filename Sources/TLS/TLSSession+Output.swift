import COpenSSL

extension TLSSession {
  /// Whether there is ciphertext to send.
  package var hasPendingOutput: Bool { unsafe io.pointee.end > io.pointee.start }

  /// Bytes of ciphertext to send.
  package var pendingOutputBytes: Int { unsafe io.pointee.end - io.pointee.start }

  /// Shows the ciphertext to send, all of it in one piece: one `send` as a rule.
  package func withOutput<Result>(_ body: (borrowing Span<UInt8>) -> Result) -> Result {
    let start = unsafe io.pointee.output.map { unsafe UnsafePointer($0) + io.pointee.start }
    let bytes = unsafe UnsafeBufferPointer(start: start, count: pendingOutputBytes)
    return unsafe body(bytes.span)
  }

  /// Drops the first `count` bytes, which were sent; the buffer goes back to the loop with the
  /// last.
  package func consumeOutput(_ count: Int) {
    unsafe io.pointee.start = min(io.pointee.end, io.pointee.start + max(0, count))
    guard unsafe io.pointee.start == io.pointee.end else { return }
    unsafe io.pointee.releaseOutput()
    releaseBuffers()
  }

  /// Bytes of plaintext that `write` takes now; 0 while the output is full or the session not open.
  package var writeRoom: Int {
    guard closeReason == nil, !isHandshaking, !hasShutDown else { return 0 }
    return recordRoom * TLSBuffers.recordBytes
  }

  /// Full records that fit into the output.
  private var recordRoom: Int {
    unsafe max(0, (io.pointee.pool.pointee.limit - io.pointee.end) / TLSBuffers.wireRecordBytes)
  }

  /// Seals plaintext into the output.
  ///
  /// A long run is cut into records of 16 KiB, sealed from where it stands; a call makes at least
  /// one record of its own, so small pieces are better put together first.
  ///
  /// - Returns: `.done` with the bytes taken (all, or as many as whole records fit), `.wantWrite`
  ///   where none fit, `.wantRead` during the handshake, `.closed`.
  package func write(_ plaintext: borrowing Span<UInt8>) -> Progress {
    guard closeReason == nil, !hasShutDown else { return .closed }
    guard !isHandshaking else { return .wantRead }
    let wanted = min(plaintext.count, recordRoom * TLSBuffers.recordBytes)
    guard wanted > 0 else { return plaintext.count == 0 ? .done(bytes: 0) : .wantWrite }
    return unsafe plaintext.withUnsafeBufferPointer { bytes in
      unsafe seal(bytes.baseAddress, wanted)
    }
  }

  /// Seals a frame that stands in two pieces (a header, and a body in a cache page) as one record.
  ///
  /// - Parameters:
  ///   - head: at most 16 KiB with the body.
  ///   - body: may be empty.
  /// - Returns: as `write(_:)`, but all or nothing.
  package func write(
    head: borrowing Span<UInt8>, body: borrowing Span<UInt8>
  ) -> Progress {
    guard closeReason == nil, !hasShutDown else { return .closed }
    guard !isHandshaking else { return .wantRead }
    let total = head.count + body.count
    guard total <= TLSBuffers.recordBytes, recordRoom > 0 else { return .wantWrite }
    guard total > 0 else { return .done(bytes: 0) }
    if sealsDirectly, unsafe total > DirectSealing.least {
      return unsafe head.withUnsafeBufferPointer { head in
        unsafe body.withUnsafeBufferPointer { body in
          unsafe sealDirectly(head, body)
        }
      }
    }
    let stage = unsafe buffers.storage.pointee.stage
    unsafe head.withUnsafeBufferPointer { bytes in
      if let base = bytes.baseAddress { unsafe memcpy(stage, base, bytes.count) }
    }
    let headCount = head.count
    unsafe body.withUnsafeBufferPointer { bytes in
      if let base = bytes.baseAddress { unsafe memcpy(stage + headCount, base, bytes.count) }
    }
    return unsafe seal(stage, total)
  }

  /// Whether the record layer is what `DirectSealing` knows: TLS 1.3, AES-GCM, whole records.
  var canSealDirectly: Bool {
    guard context.sealsDirectly, unsafe SSL_version(ssl) == TLS1_3_VERSION,
      let cipher = unsafe SSL_get_current_cipher(ssl), let session = unsafe SSL_get_session(ssl)
    else { return false }
    let kind = unsafe SSL_CIPHER_get_cipher_nid(cipher)
    return unsafe (kind == NID_aes_128_gcm || kind == NID_aes_256_gcm)
      && SSL_SESSION_get_max_fragment_length(session) == 0
  }

  /// Seals one record of more than `DirectSealing.least` bytes; there is room for it.
  private func sealDirectly(
    _ head: UnsafeBufferPointer<UInt8>, _ body: UnsafeBufferPointer<UInt8>
  ) -> Progress {
    if unsafe io.pointee.output == nil { unsafe io.pointee.output = io.pointee.pool.pointee.take() }
    let pool = unsafe io.pointee.pool
    let end = unsafe io.pointee.end
    unsafe pool.pointee.direct = DirectSealing(
      io: io, head: head.baseAddress, headCount: head.count, body: body.baseAddress,
      bodyCount: body.count)
    defer { unsafe pool.pointee.direct = DirectSealing() }
    let progress = unsafe seal(pool.pointee.decoy, head.count + body.count)
    guard case .done = progress, unsafe !pool.pointee.direct.isDelivered else { return progress }
    // The decoy was sealed as it stands: it must not leave, and its sequence number is used up.
    unsafe io.pointee.end = end
    close(.failure)
    return .closed
  }

  /// Seals `count` bytes; there is room for all of them.
  private func seal(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Progress {
    OpenSSLErrors.clear()
    let written = unsafe SSL_write(ssl, bytes, Int32(count))
    if written > 0 { return .done(bytes: Int(written)) }
    unsafe fail(SSL_get_error(ssl, written))
    return .closed
  }
}
