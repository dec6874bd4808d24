/// Why an RTMP connection can't go on.
///
/// The session that threw it is over; close the socket.
package struct ProtocolError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What went wrong; the raw value is stable and used as a metric label.
  package enum Code: String, Sendable, CaseIterable {
    case version = "rtmp.version"
    case chunkHeader = "rtmp.chunk_header"
    case chunkSize = "rtmp.chunk_size"
    case chunkStreams = "rtmp.chunk_streams"
    case messageSize = "rtmp.message_size"
    case memory = "rtmp.memory"
    case control = "rtmp.control"
    case aggregate = "rtmp.aggregate"
    case amf = "rtmp.amf"
    case command = "rtmp.command"
    case order = "rtmp.order"
    case streams = "rtmp.streams"
  }

  /// Who would have to change for it not to happen again.
  package enum Fault: String, Sendable {
    case peer, us
  }

  package let code: Code
  /// Numbers and names of fields; never bytes of the peer, so that no token reaches a log.
  package let detail: String
  package let fault: Fault

  package init(_ code: Code, _ detail: String, fault: Fault = .peer) {
    self.code = code
    self.detail = detail
    self.fault = fault
  }

  /// Whether the same peer would get further by trying again.
  ///
  /// A limit can be met by chance (a burst), bytes that are not RTMP can't become RTMP.
  package var isRetryUseful: Bool { code == .memory || fault == .us }

  package var description: String { "\(code.rawValue): \(detail)" }
}
