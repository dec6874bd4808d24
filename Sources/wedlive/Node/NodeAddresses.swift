import ControlAPI
import EventLoop

/// The addresses that people are told: with the name that the node is reached by.
enum NodeAddresses {
  static func publish(_ configuration: NodeConfiguration, _ listeners: NodeListeners) -> [String] {
    let host = configuration.node.advertise
    return [
      listeners.rtmp.map { "rtmp://\(host):\($0.address.port)/live/TOKEN" },
      listeners.rtmps.map { "rtmps://\(host):\($0.address.port)/live/TOKEN" },
    ].compactMap { $0 }
  }

  static func watch(_ configuration: NodeConfiguration, _ listeners: NodeListeners) -> [String] {
    guard let base = site(configuration, listeners) else { return [] }
    return ["\(base)/watch/WEDDING", "\(base)/hls/WEDDING/index.m3u8"]
  }

  static func status(_ listeners: NodeListeners) -> String? {
    listeners.admin.map { "http://\($0.address)/" }
  }

  /// Where publishers and viewers are sent by the API.
  static func api(
    _ configuration: NodeConfiguration, _ listeners: NodeListeners
  ) -> PublicAddresses {
    let host = configuration.node.advertise
    return PublicAddresses(
      rtmp: "rtmp://\(host):\(listeners.rtmp?.address.port ?? 1935)/live",
      rtmps: listeners.rtmps.map { "rtmps://\(host):\($0.address.port)/live" },
      web: cdn(configuration) ?? site(configuration, listeners) ?? "https://\(host)")
  }

  /// The address of the CDN in front, `https://host:port`; nil where there is none.
  static func cdn(_ configuration: NodeConfiguration) -> String? {
    let domain = configuration.cdn.domain
    return domain.isEmpty ? nil : "https://\(domain)"
  }

  /// The address of the public site, `https://host:port`.
  static func site(_ configuration: NodeConfiguration, _ listeners: NodeListeners) -> String? {
    guard let port = listeners.https?.address.port else { return nil }
    let host = configuration.node.advertise
    return port == 443 ? "https://\(host)" : "https://\(host):\(port)"
  }
}
