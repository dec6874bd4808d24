import HTTPClient
import HTTPTypes

/// The way out to a storage: sends what it is given, again where that may help, and says what
/// failed in words of the storage's.
struct Outbound: Sendable {
  let client: HTTPClient
  let patience: StoragePatience
  /// For people: `S3 at host`.
  let peer: String

  /// One try's answer.
  enum Judgement: Sendable {
    case done
    /// As an error; with `isRetryable` it is tried again.
    case failed(StorageError)
    /// It said how long to wait; longer than is bearable is an error.
    case wait(Duration, StorageError)
  }

  /// The longest wait that is taken for a storage that asks for it.
  private static let longestWait: Duration = .seconds(60)

  /// Sends a request.
  ///
  /// - Parameters:
  ///   - body: of the request.
  ///   - maxResponseBytes: of the answer.
  ///   - isLengthy: whether the storage may be silent for minutes before it answers.
  ///   - make: makes the request anew for each try: a signature has its time.
  ///   - judge: what an answer means.
  /// - Returns: the answer that `judge` found done.
  /// - Throws: what the last try failed by.
  func send(
    body: OutgoingBody = .none, maxResponseBytes: Int = 1 << 20, isLengthy: Bool = false,
    make: @Sendable () -> HTTPRequest,
    judge: @Sendable (HTTPResponse, [UInt8]) -> Judgement
  ) async throws(StorageError) -> (HTTPResponse, [UInt8]) {
    var pause = patience.pause
    var attempt = 1
    while true {
      let error: StorageError
      var wait = pause
      switch await answer(to: make(), body, maxResponseBytes, isLengthy: isLengthy) {
      case .failure(let failure): error = words(failure)
      case .success(let (response, bytes)):
        switch judge(response, bytes) {
        case .done: return (response, bytes)
        case .failed(let failure): error = failure
        case .wait(let asked, let failure):
          guard asked <= Self.longestWait else { throw failure }
          error = failure
          wait = max(pause, asked)
        }
      }
      guard error.isRetryable, error != .cancelled, attempt < patience.attempts else { throw error }
      attempt += 1
      pause *= 2
      guard (try? await Task.sleep(for: wait)) != nil else { throw .cancelled }
    }
  }

  private func answer(
    to request: HTTPRequest, _ body: OutgoingBody, _ maxResponseBytes: Int, isLengthy: Bool
  ) async -> Result<(HTTPResponse, [UInt8]), HTTPClientError> {
    let isLarge = body.count > 256 << 10 || maxResponseBytes > 1 << 20
    let deadline = isLarge ? patience.transfer : patience.timeout
    do throws(HTTPClientError) {
      return .success(
        try await client.send(
          request, body: body, deadline: isLengthy ? patience.completion : deadline,
          stall: isLengthy ? nil : patience.stall, maxResponseBytes: maxResponseBytes))
    } catch {
      return .failure(error)
    }
  }

  private func words(_ error: HTTPClientError) -> StorageError {
    switch error.code {
    case .cancelled: .cancelled
    case .unresolved, .unreachable, .timedOut, .interrupted, .overloaded, .brokenResponse:
      .unreachable("\(peer) can't be reached: \(error.message)")
    case .closed: .cancelled
    case .tls: .misconfigured("\(peer) has no certificate that is trusted: \(error.message)")
    case .badRequest: .unreadable("\(peer) was sent nothing: \(error.message)")
    case .tooLarge, .internalFailure: .unreachable("\(peer): \(error.message)")
    }
  }
}
