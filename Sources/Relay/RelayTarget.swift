package import TLS

/// An origin that takes a stream.
package struct RelayTarget: Sendable {
  /// Names the origin: by it an origin that failed is excluded.
  package let name: String
  /// A numeric address or a name, without brackets.
  package let host: String
  /// Of its RTMP listener; of the RTMPS one where there is `tls`.
  package let port: UInt16
  /// For `rtmps`.
  package var tls: TLSContext?
  /// The name in its certificate, where that isn't `host`.
  package var serverName: String?
  /// Query items that tell the origin which holder's stream goes on there, such as
  /// `resume=7&proof=…`; added to the name where another origin had the stream.
  package var resume: String?
  /// Kept as long as the connection to it, for example to count it.
  package var handle: (any AnyObject & Sendable)?

  package init(
    name: String, host: String, port: UInt16, tls: TLSContext? = nil, serverName: String? = nil,
    resume: String? = nil, handle: (any AnyObject & Sendable)? = nil
  ) {
    self.name = name
    self.host = host
    self.port = port
    self.tls = tls
    self.serverName = serverName
    self.resume = resume
    self.handle = handle
  }
}
