/// What nodes that know each other by certificates need.
struct ClusterConsistency {
  let reading: ConfigurationReading

  func faults() -> [ConfigurationFault] {
    let cluster = reading.configuration.cluster
    let isListening = reading.configuration.listen.peers != .off
    var faults: [ConfigurationFault] = []
    func need(_ key: String, _ other: String, _ isThere: Bool, _ words: String? = nil) {
      guard !isThere, reading.isSound(key, other) else { return }
      faults.append(reading.fault(key, words ?? "needs \(other) beside it"))
    }
    if cluster.isCertified {
      need("cluster.certificate", "cluster.key", cluster.key != nil)
      need("cluster.certificate", "cluster.ca", cluster.certificateAuthorities != nil)
      need(
        "cluster.certificate", "listen.peers", isListening,
        "needs listen.peers beside it: a port for the other nodes alone")
      need(
        "cluster.certificate", "cluster.tls", cluster.tls, "needs cluster.tls, which is false")
    } else {
      need("cluster.key", "cluster.certificate", cluster.key == nil)
      need("listen.peers", "cluster.certificate", !isListening)
      need(
        "listen.peers_rtmps", "cluster.certificate",
        reading.configuration.listen.peersRTMPS == .off)
      need(
        "relay.proxy_header", "cluster.certificate", !reading.configuration.relay.proxyHeader,
        "needs cluster.certificate beside it: without, this node asks origins at their listen.http, "
          + "where they would want that header from it, too")
    }
    return faults
  }
}
