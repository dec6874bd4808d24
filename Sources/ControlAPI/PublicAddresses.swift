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

  /// Where a camera publishes to; its stream key says which one it is, and the address is for
  /// people.
  func camera(_ id: String) -> String { Self.application("camera_\(id)", of: rtmp) }

  /// The same over TLS, where there is that.
  func secureCamera(_ id: String) -> String? {
    rtmps.map { Self.application("camera_\(id)", of: $0) }
  }

  private static func application(_ name: String, of address: String) -> String {
    let base = address.lastIndex(of: "/").map { address[..<$0] } ?? address[...]
    return "\(base)/\(name)"
  }

  func playlist(wedding: String, camera: String?) -> String {
    let folder = camera.map { "\(wedding)/\($0)" } ?? wedding
    return "\(web)/hls/\(folder)/index.m3u8"
  }
}
