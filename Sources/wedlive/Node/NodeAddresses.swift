import Cluster
import ControlAPI
import EventLoop
import HTTPServer
import HTTPTypes
import Viewers

/// The addresses that people are told.
///
/// What the configuration names (`public`, `cdn.domain`) comes first; in a cluster it is those of
/// edges else, and the node's own name where it is one by itself.
enum NodeAddresses {
  /// Where people publish to; empty on an origin whose edges aren't named.
  static func publish(
    _ configuration: NodeConfiguration, _ listeners: NodeListeners, isOrigin: Bool = false
  ) -> [String] {
    let places = places(configuration, listeners, isOrigin: isOrigin)
    return [places.rtmp, places.rtmps].compactMap { $0.map { $0 + "/TOKEN" } }
  }

  /// Where they watch; empty as well.
  static func watch(
    _ configuration: NodeConfiguration, _ listeners: NodeListeners, isOrigin: Bool = false
  ) -> [String] {
    guard let base = places(configuration, listeners, isOrigin: isOrigin).web else { return [] }
    return ["\(base)/watch/WEDDING", "\(base)/hls/WEDDING/index.m3u8"]
  }

  static func status(_ listeners: NodeListeners) -> String? {
    listeners.admin.map { "http://\($0.address)/" }
  }

  /// Where the API of an origin, or of a node by itself, sends publishers and viewers.
  ///
  /// - Parameters:
  ///   - configuration: of the node.
  ///   - listeners: its ports.
  ///   - cluster: whose edges they meet; nil where there is none.
  /// - Returns: for each request: what is configured, else what the edge says that handed it on,
  ///   else what an edge of the cluster says of itself, else the node's own.
  static func api(
    _ configuration: NodeConfiguration, _ listeners: NodeListeners, _ cluster: NodeCluster?
  ) -> @Sendable (APIRequest) -> PublicAddresses {
    let named = toldFirst(configuration)
    let own = own(configuration, listeners)
    return { request in
      let found = named.or(
        PeerCall.sites(of: request.request).map { KnownAddresses(text: $0) } ?? .init()
      )
      .or(cluster?.edgeAddresses ?? .init())
      .or(own.known(asked: request.request))
      let host = configuration.node.advertise
      return PublicAddresses(
        rtmp: found.rtmp ?? "rtmp://\(host):1935/live", rtmps: found.rtmps,
        web: found.web ?? "https://\(host)")
    }
  }

  /// Where an edge has publishers and viewers sent, by a request that it is asked.
  static func sites(
    _ configuration: NodeConfiguration, _ listeners: NodeListeners
  ) -> @Sendable (HTTPRequest) -> KnownAddresses {
    let named = toldFirst(configuration)
    let own = own(configuration, listeners)
    return { request in named.or(own.known(asked: request)) }
  }

  /// The web address where nobody asks: in what backends are told of recordings.
  static func web(_ configuration: NodeConfiguration, _ listeners: NodeListeners) -> String {
    cdn(configuration) ?? site(configuration, listeners)
      ?? "https://\(configuration.node.advertise)"
  }

  /// The address of the CDN in front, `https://host:port`; nil where there is none.
  static func cdn(_ configuration: NodeConfiguration) -> String? {
    let domain = configuration.cdn.domain
    return domain.isEmpty ? nil : "https://\(domain)"
  }

  /// The address of the public site, `https://host:port`.
  static func site(_ configuration: NodeConfiguration, _ listeners: NodeListeners) -> String? {
    places(configuration, listeners, isOrigin: false).web
  }

  /// Where the plain port sends viewers: HTTPS as they reach it; nil where it answers itself.
  static func redirectPort(
    _ configuration: NodeConfiguration, _ listeners: NodeListeners
  ) -> UInt16? {
    guard configuration.http.redirect else { return nil }
    return configuration.public.httpsPort ?? listeners.https?.address.port ?? 443
  }

  /// What the configuration names for playlists and publishers: a CDN before all else.
  private static func toldFirst(_ configuration: NodeConfiguration) -> KnownAddresses {
    var named = named(configuration)
    named.web = cdn(configuration) ?? named.web
    return named
  }

  /// What the configuration names.
  static func named(_ configuration: NodeConfiguration) -> KnownAddresses {
    let section = configuration.public
    func address(_ scheme: String, _ authority: String, _ port: Int) -> String? {
      if authority.isEmpty { return nil }
      return authority.contains(":")
        ? "\(scheme)://\(authority)/live" : "\(scheme)://\(authority):\(port)/live"
    }
    return KnownAddresses(
      web: section.https.isEmpty ? nil : "https://\(section.https)",
      rtmp: address("rtmp", section.rtmp, 1935), rtmps: address("rtmps", section.rtmps, 1936))
  }

  private static func own(
    _ configuration: NodeConfiguration, _ listeners: NodeListeners
  ) -> OwnAddresses {
    OwnAddresses(
      host: configuration.node.advertise, https: listeners.https?.address.port,
      http: listeners.http?.address.port, rtmp: listeners.rtmp?.address.port,
      rtmps: listeners.rtmps?.address.port)
  }

  private static func places(
    _ configuration: NodeConfiguration, _ listeners: NodeListeners, isOrigin: Bool
  ) -> KnownAddresses {
    let named = named(configuration)
    if isOrigin { return named }
    let nobody = HTTPRequest(method: .get, scheme: nil, authority: nil, path: nil)
    return named.or(own(configuration, listeners).known(asked: nobody))
  }
}

extension NodeCluster {
  /// What an edge says of itself, one of the same region first, for whoever asks an origin itself.
  var edgeAddresses: KnownAddresses {
    let view = node.membership.view
    let region = view[view.own]?.record.region
    let edges = view.nodes.values.filter { $0.record.role == .edge && $0.isUsable }
      .sorted {
        ($0.record.region == region ? 0 : 1, $0.id) < ($1.record.region == region ? 0 : 1, $1.id)
      }
    return edges.reduce(into: KnownAddresses()) { found, edge in
      let places = edge.record.addresses
      found = found.or(
        KnownAddresses(
          web: places.https.map { "https://\($0.hasSuffix(":443") ? String($0.dropLast(4)) : $0)" },
          rtmp: places.rtmp.map { "rtmp://\($0)/live" },
          rtmps: places.rtmps.map { "rtmps://\($0)/live" }))
    }
  }
}
