package import Cache

/// How an edge fetches and keeps; the defaults are what a node uses.
package struct EdgeConfiguration: Sendable {
  /// The cache's name in `Cache-Status`, a token.
  package var name = "wedlive-edge"
  /// Equal servers that stand behind it.
  package var upstreams: [Upstream] = []
  /// When one of them is left alone.
  package var upstreamRules = UpstreamPool.Rules()
  package var rules = CacheRules()
  /// Of the memory tier.
  package var memoryBytes = 1 << 30
  package var memoryCount = 200_000
  /// What bodies on their way in take beside it; beyond that they aren't kept.
  package var fillBytes = 512 << 20
  /// The folder of the disk tier; nil where there is none.
  package var diskFolder: String?
  package var disk = DiskTier.Limits()
  /// Whether the folder is this process's from the start; else from `EdgeProxy.takeDisk` on.
  package var ownsDisk = true
  /// Large objects are kept in slices of so many bytes; 0: they aren't.
  package var sliceBytes = 1 << 20
  /// The largest object that is kept whole.
  package var objectBytes = 64 << 20
  /// Bytes that a slow client may leave unread of what isn't kept, before the origin has to wait.
  package var unreadBytes = 1 << 20
  /// What a response must bring to be gone on with while nobody reads it.
  package var unreadPace = UnreadPace.Rule()
  /// Until a response's head has come.
  package var headTimeout = Duration.seconds(30)
  /// How long the origin may send nothing.
  package var stallTimeout = Duration.seconds(30)
  /// The largest body of a request that is handed on, and of its answer.
  package var requestBytes = 1 << 20
  package var answerBytes = 8 << 20
  /// For how long an object that can't be shared is asked for by everybody alone.
  package var aloneFor: Int64 = 10
  /// Seconds for which what is purged softly may be served while it is asked for anew, at least.
  package var purgeGrace: Int64 = 60
  /// How long the answer to a purge waits for the disk.
  package var purgeWait = Duration.seconds(10)
  /// What ages are counted by.
  package var clock = EdgeClock.system
  /// Whether purges come from a cluster: until those that were missed are known, what is on disk is
  /// doubted.
  package var hearsOfPurges = false

  package init() {}
}
