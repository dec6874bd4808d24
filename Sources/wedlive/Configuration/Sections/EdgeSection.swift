/// `edge`: what the role `edge` keeps, and what stands behind it.
struct EdgeSection: Equatable, Sendable {
  /// Equal servers, `http://host:port` or `https://host:port`.
  var upstreams: [String] = []
  /// Authorities to trust there in place of the system's.
  var certificateAuthorities: String?
  /// Of the memory tier; 0 for a quarter of what there is.
  var memory = 0
  var memoryObjects = 200_000
  /// Of bodies on their way in; 0 for half of that, and for one object at least.
  var fillMemory = 0
  /// Of the disk tier; 0 for none.
  var disk = 10 << 30
  var diskObjects = 200_000
  /// What may wait to be written there.
  var diskWaiting = 256 << 20
  /// Its folder; within the data folder where none is named.
  var diskPath = ""
  /// Of which parts large objects are kept; 0: whole.
  var slice = 1 << 20
  /// The largest object that is kept whole.
  var maxObject = 64 << 20
  /// What a slow client may leave unread of what isn't kept.
  var maxUnread = 1 << 20
  /// The largest answer to a request that isn't GET or HEAD.
  var maxAnswer = 8 << 20
  /// For how long what is purged softly may be served while it is asked for anew, at least.
  var purgeGrace = Duration.seconds(60)
  /// How long the answer to a purge waits for the disk.
  var purgeWait = Duration.seconds(10)
  /// How many bytes a second a response must bring, over how long, to be gone on with while nobody
  /// reads it.
  var unreadRate = 64 << 10
  var unreadTime = Duration.seconds(10)
  /// Until a response's head has come.
  var headTimeout = Duration.seconds(30)
  /// How long an upstream may send nothing.
  var stallTimeout = Duration.seconds(30)
  var connectTimeout = Duration.seconds(5)
  /// Requests to all upstreams at once, to one of them, and waiting.
  var maxRequests = 256
  var maxPerUpstream = 128
  var maxWaiting = 10_000
  /// When an upstream is left alone.
  var maxFails = 3
  var failTimeout = Duration.seconds(30)
  /// How often upstreams are asked while none is known to answer, and how long they may take.
  var probeEvery = Duration.seconds(1)
  var probeTimeout = Duration.seconds(5)
  /// Live streams that are followed at once, for how long after their last viewer, and how long
  /// what no node has any more is served on.
  var liveStreams = 10_000
  var liveUnanswered = 1_000
  var liveAnswer = Duration.seconds(3)
  var liveIdle = Duration.seconds(60)
  var liveGrace = Duration.seconds(60)
  /// How long a node may send nothing of a live segment.
  var segmentStall = Duration.seconds(5)
  /// The largest state of a stream that is taken from another node.
  var maxFeed = 32 << 20
}
