/// How a node is run, beside its configuration.
struct StandaloneOptions: Sendable {
  /// Whether a test picture is published to it.
  var demo = false
  /// Whether it is one of a cluster, which it can't be without.
  var isOrigin = false
}
