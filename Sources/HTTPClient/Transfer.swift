import CCurl
import HTTPTypes

#if canImport(Glibc)
  import Glibc
#endif

/// One exchange: libcurl's easy handle and what was received so far.
///
/// Made by the caller, then touched by the engine's thread alone.
@safe final class Transfer: @unchecked Sendable {
  // Sendable because it is handed over once, through the engine's mailbox: the caller keeps no
  // reference, and all mutable state is the engine thread's.
  typealias Outcome = Result<(HTTPResponse, [UInt8]), HTTPClientError>

  struct Limits: Sendable {
    let deadline: ContinuousClock.Instant
    var stall: Duration?
    let maxResponseBytes: Int
  }

  /// Bounds the fields kept; libcurl itself bounds a line and the whole head.
  private static let maxFields = 256

  let id: UInt64
  let limits: Limits
  private let outgoing: OutgoingRequest
  private let completion: @Sendable (Outcome) -> Void
  private var easy: UnsafeMutableRawPointer?
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let errorText: UnsafeMutablePointer<CChar>
  private var head = ResponseHead()
  private var body: [UInt8] = []
  private var isTooLarge = false
  /// How much of the body was handed over.
  private var sent = 0
  private var isUnreadable = false
  private var isDone = false

  init(
    id: UInt64, outgoing: OutgoingRequest, limits: Limits,
    completion: @escaping @Sendable (Outcome) -> Void
  ) {
    self.id = id
    self.outgoing = outgoing
    self.limits = limits
    self.completion = completion
    unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    // The handle is out of the multi handle by now: the engine keeps the transfer until then.
    if let easy = unsafe easy { unsafe curl_easy_cleanup(easy) }
    unsafe curl_slist_free_all(headerList)
    unsafe errorText.deallocate()
  }

  /// Makes the easy handle and adds it to a multi handle.
  ///
  /// libcurl calls back into this object from then on: it must live until `detach(from:)`.
  ///
  /// - Parameters:
  ///   - multi: the engine's handle.
  ///   - configuration: of the client.
  /// - Returns: the easy handle's address, by which the engine finds this object again.
  /// - Throws: `.timedOut` when the deadline has passed, or what libcurl refused.
  func attach(
    to multi: UnsafeMutableRawPointer, _ configuration: HTTPClientConfiguration
  ) throws(HTTPClientError) -> UInt {
    let easy = unsafe try prepare(configuration)
    let code = unsafe curl_multi_add_handle(multi, easy)
    guard code == CURLM_OK else {
      throw HTTPClientError(.internalFailure, unsafe String(cString: curl_multi_strerror(code)))
    }
    return UInt(bitPattern: easy)
  }

  /// Takes the easy handle out of the multi handle; libcurl then calls back no more.
  func detach(from multi: UnsafeMutableRawPointer) {
    if let easy = unsafe easy { unsafe curl_multi_remove_handle(multi, easy) }
  }

  private func prepare(
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
    options.set(CURLOPT_TIMEOUT_MS, max(1, milliseconds(left)))
    options.set(
      CURLOPT_CONNECTTIMEOUT_MS, max(1, milliseconds(min(left, configuration.connectTimeout))))
    // What HEAD is told the length of doesn't come.
    let isHead = outgoing.method == "HEAD"
    options.set(CURLOPT_MAXFILESIZE_LARGE, offset: isHead ? 0 : limits.maxResponseBytes)
    if let stall = limits.stall {
      options.set(CURLOPT_LOW_SPEED_LIMIT, 1)
      options.set(CURLOPT_LOW_SPEED_TIME, max(1, Int(clamping: stall.components.seconds)))
    }
    if let file = configuration.certificateAuthorities { options.set(CURLOPT_CAINFO, file) }
    unsafe setBody(&options, me)
    for line in outgoing.headers {
      guard let list = unsafe curl_slist_append(headerList, line) else {
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

  /// Ends the exchange with what libcurl said; the handle is out of the multi handle already.
  func finish(_ result: CURLcode) {
    if isUnreadable {
      fail(HTTPClientError(.badRequest, "the file to be sent can't be read, or became shorter"))
    } else if result == CURLE_OK, let response = head.response {
      complete(.success((response, body)))
    } else if isTooLarge || result == CURLE_FILESIZE_EXCEEDED {
      fail(HTTPClientError(.tooLarge, "the body is longer than \(limits.maxResponseBytes) bytes"))
    } else if result == CURLE_OK, head.isBegun {
      // libcurl takes a connection that closes within the head for a response without a body.
      fail(HTTPClientError(.interrupted, "the connection closed within the response's head"))
    } else if result == CURLE_OK {
      fail(HTTPClientError(.brokenResponse, "there is no valid status line"))
    } else {
      let own = unsafe String(cString: errorText)
      fail(HTTPClientError(code(result), own.isEmpty ? EasyOptions.words(result) : own))
    }
  }

  /// Ends the exchange; only the first end counts.
  func fail(_ error: HTTPClientError) { complete(.failure(error)) }

  private func complete(_ outcome: Outcome) {
    if isDone { return }
    isDone = true
    completion(outcome)
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

  fileprivate func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let count = unsafe outgoing.body.read(at: sent, into: buffer) else {
      isUnreadable = true
      return wl_curl_read_abort()
    }
    sent += count
    return count
  }

  fileprivate func seek(to offset: Int, from origin: Int32) -> Int32 {
    guard origin == SEEK_SET, (0...outgoing.body.count).contains(offset) else {
      return CURL_SEEKFUNC_FAIL
    }
    sent = offset
    return CURL_SEEKFUNC_OK
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  }

  fileprivate func receive(body bytes: UnsafeRawBufferPointer) -> Int {
    guard bytes.count <= limits.maxResponseBytes - body.count else {
      isTooLarge = true
      return 0
    }
    unsafe body.append(contentsOf: bytes)
    return bytes.count
  }

  fileprivate func receive(line bytes: UnsafeRawBufferPointer) -> Int {
    unsafe head.append(line: String(decoding: bytes, as: UTF8.self))
    return head.fields.count > Transfer.maxFields ? 0 : bytes.count
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

/// libcurl's result as ours.
private func code(_ result: CURLcode) -> HTTPClientError.Code {
  switch result {
  case CURLE_URL_MALFORMAT: .badRequest
  case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
  case CURLE_COULDNT_CONNECT: .unreachable
  case CURLE_OPERATION_TIMEDOUT: .timedOut
  case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
    CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
    .tls
  case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
    CURLE_HTTP2_STREAM:
    .interrupted
  // The request's scheme was checked, so an unsupported protocol is the response's: HTTP/0.9.
  case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_WRITE_ERROR,
    CURLE_BAD_CONTENT_ENCODING:
    .brokenResponse
  default: .internalFailure
  }
}
