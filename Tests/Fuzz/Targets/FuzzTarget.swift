/// A way into the program for bytes that strangers send, as a function of those bytes.
///
/// The fuzzer gives each as many inputs as it can; the tests replay the corpus and every input that
/// once was a finding. A target traps nowhere, grows within the limits of what it feeds, and holds
/// a property that no input breaks.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// RTMP's chunk stream: read whole, in pieces, and written again.
  case chunks
  /// An RTMP client's bytes after its handshake (or with it), to the server's session.
  case rtmp
  /// An RTMP server's bytes to the client's session.
  case rtmpClient = "rtmp-client"
  /// AMF0 and AMF3 values.
  case amf
  /// HTTP/1.1 requests on one connection, whole and in pieces, and what handlers ask of them.
  case http1
  /// HTTP/2 frames after the preface.
  case http2
  /// Ranges, dates and entity tags.
  case semantics
  /// Targets, queries, forms and stream names, and the playlist reload that they ask for.
  case query
  /// Audio and video tags and the codec configurations in them.
  case media
  /// An FLV file, through the demuxer and the packager to segments and playlists.
  case flv
  /// A recording's FLV files on their way into an MP4.
  case recording
  /// What workers say that may have been taken over.
  case worker
  /// What storages answer.
  case storage
  /// What a Redis server answers.
  case redis
  /// Frames with times of the fuzzer's choice, through the packager.
  case packager
  /// Tokens, forged and signed.
  case jwt
  /// The PROXY protocol's header.
  case proxy
  /// Log text with secrets in it.
  case redaction

  /// The longest input that is worth trying, in bytes.
  package var mostBytes: Int {
    switch self {
    case .chunks, .rtmp, .rtmpClient, .http2, .flv, .recording: 16_384
    case .packager, .media, .http1, .worker, .storage, .redis: 4096
    case .amf, .jwt, .query: 2048
    case .semantics, .proxy, .redaction: 512
    }
  }

  /// Makes what targets need and can't make in a synchronous call; to be awaited once before `run`.
  package static func prepare() async throws { try await TokenBench.prepare() }

  /// Feeds an input.
  ///
  /// - Throws: `Finding`: the property that the input breaks.
  package func run(_ input: [UInt8]) throws(Finding) {
    switch self {
    case .chunks: try fuzzChunks(input)
    case .rtmp: try fuzzServerSession(input)
    case .rtmpClient: try fuzzClientSession(input)
    case .amf: try fuzzAMF(input)
    case .http1: try fuzzHTTP1(input)
    case .http2: try fuzzHTTP2(input)
    case .semantics: try fuzzSemantics(input)
    case .query: try fuzzQuery(input)
    case .media: try fuzzMedia(input)
    case .flv: try fuzzFLV(input)
    case .recording: try fuzzRecording(input)
    case .worker: try fuzzWorker(input)
    case .storage: try fuzzStorage(input)
    case .redis: try fuzzRedis(input)
    case .packager: try fuzzPackager(input)
    case .jwt: try fuzzTokens(input)
    case .proxy: try fuzzProxyHeader(input)
    case .redaction: try fuzzRedaction(input)
    }
  }
}

/// A property that an input breaks.
package struct Finding: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// Breaks off with a finding unless a property holds.
func check(_ holds: Bool, _ property: @autoclosure () -> String) throws(Finding) {
  guard holds else { throw Finding(property()) }
}
