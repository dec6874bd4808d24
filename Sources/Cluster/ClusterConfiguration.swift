/// How nodes deal with each other; each default is stated.
///
/// All nodes of a cluster must agree on `beat`, `missedBeats`, `lease` and `secret`, and should on
/// `reconnectWindow`.
package struct ClusterConfiguration: Sendable {
  /// What all nodes of the cluster know and nobody else; nil: whatever stands in Redis is believed.
  ///
  /// Records of nodes are sealed with it (HMAC-SHA256), so that who can write to Redis still can't
  /// make a node up.
  package var secret: [UInt8]?

  // MARK: Nodes

  /// The time from one heartbeat to the next.
  package var beat = Duration.seconds(2)
  /// So many heartbeats missed, and a node's record expires in Redis.
  package var missedBeats = 3
  /// How many nodes are looked at; what is beyond is left out.
  package var nodes = 256
  /// How long a node that has no record and that nobody can check stays in the view.
  package var suspectLimit = Duration.seconds(30)
  /// How long a node that was lost is remembered, for people.
  package var lostMemory = Duration.seconds(600)

  /// Failures within `failTimeout` after which a node is not used.
  package var maxFails = 3
  /// How long failures count, and how long a node is then left alone.
  package var failTimeout = Duration.seconds(30)
  /// The time from one check of a peer to the next, while all is well.
  package var checkInterval = Duration.seconds(2)
  /// The same while it fails.
  package var recheckInterval = Duration.milliseconds(250)
  /// How long a peer has to answer a check.
  package var checkDeadline = Duration.seconds(1)

  // MARK: Streams

  /// How long a lease holds without being refreshed.
  package var lease = Duration.seconds(6)
  /// The time from one refresh to the next.
  package var leaseRefresh = Duration.seconds(2)
  /// How long the numbers of a stream that nobody publishes are kept in Redis.
  package var streamMemory = Duration.seconds(86_400)
  /// How long a looked-up owner is believed without being looked up again.
  package var directoryAge = Duration.seconds(5)
  /// How long it is believed that a stream has no owner.
  package var absentAge = Duration.seconds(1)
  /// How many streams a directory remembers.
  package var directoryEntries = 10_000
  /// How long what Redis is asked for one stream may take.
  package var deadline = Duration.seconds(2)

  /// How long a stream waits for its publisher.
  package var reconnectWindow = Duration.seconds(60)
  /// How often it is looked for streams that have ended without anybody left to say so.
  package var endsEvery = Duration.seconds(2)
  /// How many of these are looked at in one go.
  package var endsAtOnce = 64
  /// How long who tells an end has to do so, before another node does.
  package var endTelling = Duration.seconds(60)
  /// How many streams there are of which an end that was told is yet to be noted in Redis.
  package var endsNoted = 10_000

  // MARK: Placement

  /// For how long after its start a node gets less than its share.
  package var slowStart = Duration.seconds(60)

  // MARK: Events

  /// How many entries `wl:events` holds, more or less.
  package var eventEntries = 10_000
  /// The same of `wl:invalidations`.
  package var invalidationEntries = 20_000

  package init() {}

  /// How long a node's record lives in Redis.
  var recordLife: Duration { beat * max(1, missedBeats) }
}
