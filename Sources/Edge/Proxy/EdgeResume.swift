import Cache
import HTTPClient
import HTTPTypes
import Synchronization

/// The rest of a response that broke off, asked for as a range of the same version.
///
/// Who reads what came so far reads on, and notices nothing but a pause.
final class EdgeResume: ResponseReceiver {
  private struct State {
    var stream: ResponseStream?
    /// Whether what comes is the rest.
    var isTaken = false
    /// Whether it is something else, and of no interest.
    var isRefused = false
  }

  private let fetch: EdgeFetch
  /// The bytes that are missing, of how many, and the version's strong tag.
  private let rest: Range<Int>
  private let tag: String
  private let state = Mutex(State())

  init(_ fetch: EdgeFetch, _ rest: Range<Int>, tag: String) {
    self.fetch = fetch
    self.rest = rest
    self.tag = tag
  }

  /// The fields that ask for it (RFC 9110, 13.1.5 and 14.2).
  ///
  /// - Parameter fields: of the request that broke off.
  /// - Returns: these, with the range.
  func fields(_ fields: HTTPFields) -> HTTPFields {
    var fields = fields
    fields[.range] = "bytes=\(rest.lowerBound)-\(rest.upperBound - 1)"
    fields[.ifRange] = tag
    return fields
  }

  /// Knows the exchange, to hold it up or to end it.
  func began(_ stream: ResponseStream) {
    let isRefused = state.withLock { state in
      state.stream = stream
      return state.isRefused
    }
    if isRefused { stream.cancel() } else { fetch.began(stream) }
  }

  func received(head: HTTPResponse) {
    let said = head.headerFields[.contentRange].flatMap { ContentRange($0) }
    guard head.status.code == 206, said == ContentRange(rest, total: rest.upperBound),
      head.headerFields[.eTag] == tag, head.headerFields[.contentEncoding] == nil
    else {
      let stream = state.withLock { state in
        state.isRefused = true
        return state.stream
      }
      stream?.cancel()
      return fetch.cannotResume(
        HTTPClientError(.brokenResponse, "it broke off, and is another by now"))
    }
    state.withLock { $0.isTaken = true }
    fetch.resumed()
  }

  func received(body piece: borrowing Span<UInt8>) -> Bool {
    let isTaken = state.withLock { $0.isTaken }
    return isTaken ? fetch.received(body: piece) : true
  }

  func caughtUp() { fetch.caughtUp() }

  func ended(_ problem: HTTPClientError?) {
    let isRefused = state.withLock { $0.isRefused }
    if !isRefused {
      fetch.ended(problem ?? (state.withLock { $0.isTaken } ? nil : Self.nothing))
    }
  }

  private static let nothing = HTTPClientError(.brokenResponse, "there is no response")
}

extension EdgeProxy {
  /// Asks an upstream for the rest of a response that broke off.
  func resume(_ resume: EdgeResume, of order: EdgeFetch.Order, from use: UpstreamUse) {
    let fields = EdgeFields.asked(order.request, isShared: order.isShared)
    let request = upstreamRequest(order.request, resume.fields(fields), to: use.upstream)
    do throws(HTTPClientError) {
      resume.began(try client.stream(request, for: order, configuration, to: resume))
    } catch {
      resume.ended(error)
    }
  }

  func countResume() { resumes.add(1, ordering: .relaxed) }

  /// How many responses that broke off were gone on with.
  var resumeCount: Int { resumes.load(ordering: .relaxed) }
}
