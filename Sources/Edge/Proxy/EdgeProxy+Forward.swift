import HTTPClient
import HTTPTypes

// Requests that no cache answers.
extension EdgeProxy {
  /// Hands a request on that isn't GET or HEAD, and forgets what its success makes untrue
  /// (RFC 9111, 4.4).
  ///
  /// - Parameters:
  ///   - request: as the client asked it.
  ///   - body: of the request.
  ///   - name: `host/path?query`.
  ///   - pool: who is asked; the configured upstreams where that is nil.
  /// - Returns: the origin's answer.
  /// - Throws: why there is none.
  func forward(
    _ request: HTTPRequest, body: [UInt8], name: String, to pool: UpstreamPool? = nil
  ) async throws(EdgeFailure) -> (HTTPResponse, [UInt8]) {
    let upstreams = pool ?? upstreams
    let fields = EdgeFields.asked(request, isShared: false)
    var tried: Set<Upstream> = []
    var failure = Self.nobody
    while let use = upstreams.use(besides: tried) {
      do throws(HTTPClientError) {
        let (response, content) = try await client.send(
          upstreamRequest(request, fields, to: use.upstream), body: body,
          deadline: configuration.headTimeout, maxResponseBytes: configuration.answerBytes)
        use.succeeded()
        if (200..<400).contains(response.status.code), !Self.isSafe(request.method) {
          purge(name, madeUntrueBy: response)
        }
        return (EdgeFields.kept(response, at: wall), content)
      } catch {
        if error.fault != .ours { use.failed() }
        troubles.note(use.upstream, "\(error)")
        failure = EdgeFailure(error)
        // Only what has reached no origin may be asked of another.
        guard error.code == .unreachable || error.code == .unresolved else { throw failure }
        tried.insert(use.upstream)
      }
    }
    throw failure
  }

  private func purge(_ name: String, madeUntrueBy response: HTTPResponse) {
    store.purge(name, at: now)
    for field in [HTTPField.Name.location, .contentLocation] {
      guard let place = response.headerFields[field],
        let other = EdgeAddress.resolve(place, against: name)
      else { continue }
      store.purge(other, at: now)
    }
  }

  private static func isSafe(_ method: HTTPRequest.Method) -> Bool {
    [.get, .head, .options, .trace].contains(method)
  }
}
