package import Access
import EventLoop
import Ingest
package import Media
package import RTMP

/// What a publisher or a player asks for, as the control plane sees it.
package struct ClientAsk: Sendable {
  package enum Kind: Sendable { case publish, play }

  package let kind: Kind
  package let key: StreamKey
  /// What a player gets: the program, where `key` is the camera that it shows at the moment.
  let plays: StreamKey
  package let claims: Claims?
  package let app: String
  /// As the client gave it, often a token: shown to the backend, and to nobody else.
  package let name: StreamName
  /// The name without its query, whole where an encoder put its first part into the application:
  /// `wedding/camera`, or a token.
  package let path: String
  package let address: String
  package let flashVersion: String
  package let tcUrl: String
  package let pageUrl: String
  package let swfUrl: String
  package let isSecure: Bool
  /// Whether it is a node of the cluster, by its certificate.
  package let isPeerCertified: Bool
  package let clientID: UInt64

  init(
    _ kind: Kind, _ connection: RTMPConnection, _ name: StreamName, key: StreamKey, claims: Claims?,
    clientID: UInt64, plays: StreamKey? = nil
  ) {
    self.plays = plays ?? key
    let connect = connection.connectRequest
    self.kind = kind
    self.key = key
    self.claims = claims
    app = connect?.app ?? ""
    self.name = name
    path = RequestedStream(name, connect: connect).path
    address = connection.peer.host
    flashVersion = connect?.flashVersion ?? ""
    tcUrl = connect?.tcUrl ?? ""
    pageUrl = connect?.pageUrl ?? ""
    swfUrl = connect?.swfUrl ?? ""
    isSecure = connection.isSecure
    isPeerCertified = connection.isPeerCertified
    self.clientID = clientID
  }

  /// A publisher that is gone with the node that it was at, of which the stream alone is known.
  init(lost key: StreamKey) {
    kind = .publish
    self.key = key
    plays = key
    claims = nil
    app = "live"
    path = key.camera == Claims.mainCamera ? key.wedding : "\(key)"
    name = StreamName(path)
    address = ""
    flashVersion = ""
    tcUrl = ""
    pageUrl = ""
    swfUrl = ""
    isSecure = false
    isPeerCertified = false
    clientID = 0
  }
}
