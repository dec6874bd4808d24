/// `cluster`: what the nodes of one cluster agree on.
struct ClusterSection: Equatable, Sendable {
  /// What all of them know and nobody else.
  var secret: String?
  var secretFile: String?
  /// Where other nodes reach this one; `node.advertise` where none is named.
  var address = ""
  /// Whether they talk over HTTPS.
  var tls = true
  /// Authorities to trust among nodes in place of the system's.
  var certificateAuthorities: String?
  /// What this node shows to others, and at `listen.peers`.
  var certificate: String?
  var key: String?
  var beat = Duration.seconds(2)
  var missedBeats = 3
  var lease = Duration.seconds(6)
  var slowStart = Duration.seconds(60)
  var maxFails = 3
  var failTimeout = Duration.seconds(30)
  /// How long a node that is gone without a word is listed.
  var rememberDown = Duration.seconds(600)
  /// How often it is looked for streams that have ended with their origin.
  var endsEvery = Duration.seconds(2)
  var endsAtOnce = 64
  /// How long who tells one of them has to do so, and how many that were told wait to be noted.
  var endTelling = Duration.seconds(60)
  var endsNoted = 10_000
  /// Of how many of a node's recordings others are told.
  var recordings = 10_000

  /// Whether nodes know each other by certificates, too.
  var isCertified: Bool { certificate != nil }

  /// Where other nodes ask this one: the port's key, and where it stands among those that are
  /// listened on.
  var ownPort: (key: String, path: KeyPath<ListenSection, Endpoint>) {
    if isCertified { return ("listen.peers", \.peers) }
    if tls { return ("listen.https", \.https) }
    return ("listen.http", \.http)
  }
}
