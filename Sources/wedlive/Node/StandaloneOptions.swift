/// What `wedlive standalone` was asked for beside its configuration.
struct StandaloneOptions: Equatable, Sendable {
  /// Whether it publishes a test picture to itself.
  var demo = false
}
