/// Where publishers and viewers reach this node, as told to them.
package struct PublicAddresses: Sendable {
  /// `rtmp://host:1935/live`.
  package var rtmp: String
  /// `rtmps://host:1936/live`, where there is one.
  package var rtmps: String?
  /// `https://host`, without a slash at the end.
  package var web: String

  package init(rtmp: String, rtmps: String?, web: String) {
    self.rtmp = rtmp
    self.rtmps = rtmps
    self.web = web
  }

  func playlist(wedding: String, camera: String?) -> String {
    let folder = camera.map { "\(wedding)/\($0)" } ?? wedding
    return "\(web)/hls/\(folder)/index.m3u8"
  }
}
