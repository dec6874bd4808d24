package import Media
package import RTMP

/// What an RTMP client's stream name says: which stream, and with which token.
///
/// `live/<jwt>`, `live/<wedding>?token=<jwt>`, `live/<wedding>/<camera>?token=<jwt>`; a token may
/// also stand behind the application, `live?token=<jwt>`.
package struct RequestedStream: Equatable {
  package let token: String?
  package let wedding: String?
  package let camera: String?
  /// The address without its query; what a client put into the application stands before the name.
  package let path: String

  /// Whether the address is one name and no token: where an encoder puts its stream key.
  package var mayBeKey: Bool { token == nil && wedding != nil && camera == nil }

  package init(_ name: StreamName, connect: ConnectRequest?) {
    var parts = name.path.split(separator: "/").map(String.init)
    if parts.count == 1, Self.looksLikeToken(parts[0]) {
      token = parts[0]
      wedding = nil
      camera = nil
      path = name.path
      return
    }
    token = [name["token"], connect?.query.first { $0.name == "token" }?.value].lazy
      .compactMap { $0 }.first { !$0.isEmpty }
    // rtmp://host/live/wedding/camera reaches some servers as the application live/wedding.
    if let instance = connect?.instance, !instance.isEmpty, parts.count == 1 {
      parts.insert(instance, at: 0)
      path = parts.joined(separator: "/")
    } else {
      path = name.path
    }
    // More than two parts are no stream's name, whole or in part.
    wedding = parts.count > 2 ? name.path : parts.first
    camera = parts.count == 2 ? parts[1] : nil
  }

  /// The stream to play, where the address alone names it.
  ///
  /// - Parameter standard: the camera where it names none.
  /// - Returns: nil where it names no stream.
  package func key(_ standard: String) -> StreamKey? {
    wedding.flatMap { StreamKey(wedding: $0, camera: camera ?? standard) }
  }

  /// A JWT has three parts, and its first begins with `{"` in base64url.
  private static func looksLikeToken(_ path: String) -> Bool {
    path.hasPrefix("eyJ") && path.utf8.count { $0 == UInt8(ascii: ".") } == 2
  }
}
