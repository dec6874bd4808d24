import HTTPServer

/// The listening sites of one loop that get a new certificate.
final class LoopSites {
  var https: [ListeningSite] = []
  var peers: [ListeningSite] = []
}
