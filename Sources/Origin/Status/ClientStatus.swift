import Telemetry

/// A client of a stream over RTMP.
///
/// What it says of itself (`flashVersion` and the two addresses) is kept without the tokens that
/// players put into addresses: whoever may read the status may not use them.
package struct ClientStatus: Codable, Equatable, Sendable {
  package var id: UInt64
  package var address: String
  package var timeMilliseconds: Int64
  package var isPublishing: Bool
  package var isActive: Bool
  package var isSecure: Bool
  package var flashVersion: String
  package var pageURL: String
  package var swfURL: String
  /// Frames that were left out because the client took them too slowly.
  package var dropped: UInt64
  /// How far sound and picture are apart.
  package var avSyncMilliseconds: Int64
  package var timestampMilliseconds: Int64

  package init(
    id: UInt64, address: String, timeMilliseconds: Int64 = 0, isPublishing: Bool = false,
    isActive: Bool = true, isSecure: Bool = false, flashVersion: String = "",
    pageURL: String = "", swfURL: String = "", dropped: UInt64 = 0,
    avSyncMilliseconds: Int64 = 0, timestampMilliseconds: Int64 = 0
  ) {
    self.id = id
    self.address = address
    self.timeMilliseconds = timeMilliseconds
    self.isPublishing = isPublishing
    self.isActive = isActive
    self.isSecure = isSecure
    self.flashVersion = Redaction.redact(flashVersion)
    self.pageURL = Redaction.redact(pageURL)
    self.swfURL = Redaction.redact(swfURL)
    self.dropped = dropped
    self.avSyncMilliseconds = avSyncMilliseconds
    self.timestampMilliseconds = timestampMilliseconds
  }

  enum CodingKeys: String, CodingKey {
    case id, address
    case timeMilliseconds = "time_ms"
    case isPublishing = "publishing"
    case isActive = "active"
    case isSecure = "secure"
    case flashVersion = "flashver"
    case pageURL = "page_url"
    case swfURL = "swf_url"
    case dropped
    case avSyncMilliseconds = "avsync_ms"
    case timestampMilliseconds = "timestamp_ms"
  }
}
