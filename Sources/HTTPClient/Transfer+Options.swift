import CCurl
import HTTPSemantics

#if canImport(Glibc)
  import Glibc
#endif

extension Transfer {
  /// Makes the easy handle, with all that libcurl is to know of the exchange.
  ///
  /// - Parameter configuration: of the client.
  /// - Returns: the handle.
  /// - Throws: `.timedOut` when the deadline has passed, or what libcurl refused.
  func prepare(
    _ configuration: HTTPClientConfiguration
  ) throws(HTTPClientError) -> UnsafeMutableRawPointer {
    let left = limits.deadline - ContinuousClock.now
    guard left > .zero else { throw HTTPClientError(.timedOut, "the deadline passed in the queue") }
    guard let easy = unsafe curl_easy_init() else {
      throw HTTPClientError(.internalFailure, "libcurl is out of memory")
    }
    unsafe self.easy = easy
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    var options = unsafe EasyOptions(easy)
    unsafe options.set(CURLOPT_ERRORBUFFER, errorText)
    options.set(CURLOPT_NOSIGNAL, 1)
    options.restrictToHTTP()
    options.set(CURLOPT_URL, outgoing.url)
    options.set(CURLOPT_PATH_AS_IS, 1)
    options.set(CURLOPT_PROXY, configuration.proxy ?? "")
    options.set(CURLOPT_USERAGENT, configuration.userAgent)
    options.set(CURLOPT_FOLLOWLOCATION, 0)
    options.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
    // Wait for a connection that is being made, in case it is HTTP/2. Over TLS its handshake tells;
    // without, only the first response would, and one that hangs would hold up all others.
    options.set(CURLOPT_PIPEWAIT, outgoing.isSecure ? 1 : 0)
    if isStream {
      // It may take as long as it takes, if its head comes in time and it goes on then.
      options.set(CURLOPT_BUFFERSIZE, Transfer.streamPieceBytes)
    } else {
      options.set(CURLOPT_TIMEOUT_MS, max(1, milliseconds(left)))
    }
    options.set(
      CURLOPT_CONNECTTIMEOUT_MS, max(1, milliseconds(min(left, configuration.connectTimeout))))
    // What HEAD is told the length of doesn't come.
    let isHead = outgoing.method == "HEAD"
    let isBounded = !isHead && !isStream
    options.set(CURLOPT_MAXFILESIZE_LARGE, offset: isBounded ? limits.maxResponseBytes : 0)
    // Who takes a stream sees how much comes; the engine sees that nothing does.
    if let stall = limits.stall, !isStream {
      options.set(CURLOPT_LOW_SPEED_LIMIT, Transfer.leastSpeed)
      options.set(CURLOPT_LOW_SPEED_TIME, max(1, Int(clamping: stall.components.seconds)))
    }
    if let file = configuration.certificateAuthorities {
      options.set(CURLOPT_CAINFO, file)
      // Of a new one within a minute: libcurl would keep what it has read for a day.
      options.setAuthoritiesLifetime(60)
    }
    if let certificate = configuration.certificate, let key = configuration.key {
      options.set(CURLOPT_SSLCERT, certificate)
      options.set(CURLOPT_SSLKEY, key)
    }
    unsafe setBody(&options, me)
    for line in outgoing.headers {
      let bytes = FieldText.bytes(line).map { CChar(bitPattern: $0) } + [0]
      guard let list = unsafe curl_slist_append(headerList, bytes) else {
        throw HTTPClientError(.internalFailure, "libcurl is out of memory")
      }
      unsafe headerList = list
    }
    unsafe options.set(CURLOPT_HTTPHEADER, headerList)
    unsafe options.set(CURLOPT_WRITEDATA, me)
    unsafe options.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      unsafe Transfer.from(context).receive(
        body: UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    unsafe options.set(CURLOPT_HEADERDATA, me)
    unsafe options.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      unsafe Transfer.from(context).receive(
        line: UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    guard options.result == CURLE_OK else {
      throw HTTPClientError(.badRequest, EasyOptions.words(options.result))
    }
    return unsafe easy
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  }

  private func setBody(_ options: inout EasyOptions, _ me: UnsafeMutableRawPointer) {
    guard let body = outgoing.body.inMemory else {
      unsafe stream(&options, me)
      return
    }
    switch outgoing.method {
    case "GET" where body.isEmpty: options.set(CURLOPT_HTTPGET, 1)
    case "HEAD": options.set(CURLOPT_NOBODY, 1)
    case "DELETE" where body.isEmpty, "OPTIONS" where body.isEmpty:
      options.set(CURLOPT_CUSTOMREQUEST, outgoing.method)
    default:
      // The size first: COPYPOSTFIELDS reads it. libcurl keeps its copy, so it can send the body
      // again when a kept connection turns out to be dead.
      options.set(CURLOPT_POSTFIELDSIZE_LARGE, offset: body.count)
      unsafe body.withUnsafeBytes { bytes in
        unsafe options.set(
          CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
      }
      options.set(CURLOPT_POST, 1)
      options.set(CURLOPT_CUSTOMREQUEST, outgoing.method)
    }
  }

  /// Lets libcurl ask for the body, also anew when a kept connection turns out to be dead.
  private func stream(_ options: inout EasyOptions, _ me: UnsafeMutableRawPointer) {
    options.set(CURLOPT_UPLOAD, 1)
    options.set(CURLOPT_INFILESIZE_LARGE, offset: outgoing.body.count)
    options.set(CURLOPT_UPLOAD_BUFFERSIZE, 512 << 10)
    options.set(CURLOPT_CUSTOMREQUEST, outgoing.method)
    unsafe options.set(CURLOPT_READDATA, me)
    unsafe options.set(CURLOPT_READFUNCTION) { bytes, size, count, context in
      unsafe Transfer.from(context).send(
        into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
    }
    unsafe options.set(CURLOPT_SEEKDATA, me)
    unsafe options.setSeek { context, offset, origin in
      unsafe Transfer.from(context).seek(to: Int(offset), from: origin)
    }
  }
}

extension Transfer? {
  fileprivate func receive(body bytes: UnsafeRawBufferPointer) -> Int {
    unsafe self?.receive(body: bytes) ?? 0
  }

  fileprivate func receive(line bytes: UnsafeRawBufferPointer) -> Int {
    unsafe self?.receive(line: bytes) ?? 0
  }

  fileprivate func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe self?.send(into: buffer) ?? wl_curl_read_abort()
  }

  fileprivate func seek(to offset: Int, from origin: Int32) -> Int32 {
    self?.seek(to: offset, from: origin) ?? CURL_SEEKFUNC_FAIL
  }
}

private func milliseconds(_ duration: Duration) -> Int {
  let (seconds, attoseconds) = duration.components
  let clamped = min(seconds, 86_400 * 365)
  return Int(clamped) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
}
