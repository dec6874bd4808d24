/// `listen`: the ports.
struct ListenSection: Equatable, Sendable {
  var rtmp = Endpoint.port(1935)
  var rtmps = Endpoint.port(1936)
  var https = Endpoint.port(8443)
  var http = Endpoint.port(8080)
  var peers = Endpoint.off
  var peersRTMPS = Endpoint.off
  var admin = Endpoint.on(host: "127.0.0.1", port: 9113)
}
