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

  /// What becomes of the response.
  enum Destination: Sendable {
    /// It is collected, and handed over whole.
    case whole(@Sendable (Outcome) -> Void)
    /// It is handed on as it comes.
    case stream(any ResponseReceiver)
  }

  struct Limits: Sendable {
    /// For all of it; for a stream until its head has come.
    let deadline: ContinuousClock.Instant
    var stall: Duration?
    let maxResponseBytes: Int
  }

  /// In bytes a second: what comes drop by drop keeps nobody for an hour.
  static let leastSpeed = 1_000
  /// The largest piece of a stream that libcurl hands over.
  static let streamPieceBytes = 128 << 10

  let id: UInt64
  let limits: Limits
  let outgoing: OutgoingRequest
  private let destination: Destination
  var easy: UnsafeMutableRawPointer?
  var headerList: UnsafeMutablePointer<curl_slist>?
  let errorText: UnsafeMutablePointer<CChar>
  private var head: ResponseHead
  private var body: [UInt8] = []
  private var isTooLarge = false
  /// How much of the body was handed over.
  private var sent = 0
  private var isUnreadable = false
  private var isDone = false
  /// The receiver wants no more for now.
  private var isPaused = false
  private var headIsHandedOver = false
  /// Which of the engine's transfers is given something now.
  private var turn: TransferTurn?
  /// When something of a stream's response came last.
  private var movedAt = ContinuousClock.now

  init(id: UInt64, outgoing: OutgoingRequest, limits: Limits, to destination: Destination) {
    self.id = id
    self.outgoing = outgoing
    head = ResponseHead(isConditional: outgoing.isConditional)
    self.limits = limits
    self.destination = destination
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
  ///   - turn: of the engine.
  /// - Returns: the easy handle's address, by which the engine finds this object again.
  /// - Throws: `.timedOut` when the deadline has passed, or what libcurl refused.
  func attach(
    to multi: UnsafeMutableRawPointer, _ configuration: HTTPClientConfiguration,
    _ turn: TransferTurn
  ) throws(HTTPClientError) -> UInt {
    self.turn = turn
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

  /// Ends the exchange with what libcurl said; the handle is out of the multi handle already.
  func finish(_ result: CURLcode) {
    if isUnreadable {
      fail(HTTPClientError(.badRequest, "the file to be sent can't be read, or became shorter"))
    } else if let problem = head.problem {
      fail(HTTPClientError(.brokenResponse, problem))
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
      // In TLS 1.3 a server refuses a client's certificate when that takes the connection for made,
      // and is already sending.
      let isBroken = result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR
      let isRefusal = isBroken && ServerAlert.refusesCertificate(own)
      fail(
        HTTPClientError(
          isRefusal ? .tls : code(result), own.isEmpty ? EasyOptions.words(result) : own))
    }
  }

  /// Ends the exchange; only the first end counts.
  func fail(_ error: HTTPClientError) { complete(.failure(error)) }

  private func complete(_ outcome: Outcome) {
    if isDone { return }
    isDone = true
    switch destination {
    case .whole(let completion): completion(outcome)
    case .stream(let receiver):
      switch outcome {
      case .success: receiver.ended(nil)
      case .failure(let error): receiver.ended(error)
      }
    }
  }

  /// Whether the response is handed on as it comes.
  var isStream: Bool {
    if case .stream = destination { true } else { false }
  }

  /// When a stream ends of which nothing comes; nil for others.
  ///
  /// libcurl judges by the mean of some seconds: after a fast start that takes them to fall, and a
  /// reader would hang for as long again.
  var silenceDeadline: ContinuousClock.Instant? {
    guard isStream else { return nil }
    guard headIsHandedOver else { return limits.deadline }
    guard !isPaused, let stall = limits.stall else { return nil }
    return movedAt + stall
  }

  /// What is said of a stream that ends so.
  var silence: HTTPClientError {
    guard headIsHandedOver else { return HTTPClientError(.timedOut, "no response came in time") }
    return HTTPClientError(
      .timedOut, "nothing more of the response came for \(limits.stall ?? .zero)")
  }

  /// The receiver wants to be given more.
  func resume() {
    guard isPaused else { return }
    isPaused = false
    movedAt = .now
    // Nothing is done with a refusal: the exchange then ends with it.
    if let easy = unsafe easy { unsafe _ = curl_easy_pause(easy, CURLPAUSE_CONT) }
  }

  /// All that has come was handed over.
  func caughtUp() {
    if case .stream(let receiver) = destination, !isDone { receiver.caughtUp() }
  }

  func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let count = unsafe outgoing.body.read(at: sent, into: buffer) else {
      isUnreadable = true
      return wl_curl_read_abort()
    }
    sent += count
    return count
  }

  func seek(to offset: Int, from origin: Int32) -> Int32 {
    guard origin == SEEK_SET, (0...outgoing.body.count).contains(offset) else {
      return CURL_SEEKFUNC_FAIL
    }
    sent = offset
    return CURL_SEEKFUNC_OK
  }

  func receive(body bytes: UnsafeRawBufferPointer) -> Int {
    if case .stream(let receiver) = destination {
      // libcurl keeps the piece, and gives it again.
      if isPaused { return wl_curl_write_pause() }
      movedAt = .now
      if bytes.count > 0 {
        turn?.gives(to: self)
        // libcurl's own buffer, which it fills anew when this returns.
        let piece = unsafe Span(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self))
        isPaused = !receiver.received(body: piece)
      }
      return bytes.count
    }
    guard bytes.count <= limits.maxResponseBytes - body.count else {
      isTooLarge = true
      return 0
    }
    unsafe body.append(contentsOf: bytes)
    return bytes.count
  }

  func receive(line bytes: UnsafeRawBufferPointer) -> Int {
    unsafe head.append(line: Span(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self)))
    guard head.problem == nil else { return 0 }
    if case .stream(let receiver) = destination, !headIsHandedOver, let response = head.response {
      headIsHandedOver = true
      movedAt = .now
      receiver.received(head: response)
    }
    return bytes.count
  }
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
