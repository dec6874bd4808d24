/// What is to be made of a recording.
package struct RemuxJob: Equatable, Sendable {
  /// One FLV file of it.
  package struct Part: Equatable, Sendable {
    package var path: String
    /// When its first frame came, in seconds since 1970; tells how long the publisher was away.
    package var startedAt: Double?
    /// Whether it was begun only because the last one had grown too large: its times go on.
    package var continues: Bool

    package init(path: String, startedAt: Double? = nil, continues: Bool = false) {
      self.path = path
      self.startedAt = startedAt
      self.continues = continues
    }
  }

  /// In the order of their recording; `maximumParts` at most.
  package var parts: [Part]
  /// How many pictures to take, evenly over the time.
  package var thumbnails = 5
  /// The largest width and height of them.
  package var thumbnailSide = 1280
  /// Whether to make a sheet of small pictures for scrubbing.
  package var makesSprite = true
  /// Whether to make fragments for HLS.
  package var makesPlayback = true
  /// How long they aim to be; they are cut on keyframes.
  package var segmentSeconds = 6
  /// Of memory and priority.
  ///
  /// The index of a movie takes 64 bytes a frame: 20 hours are 0.4 GB.
  package var limits = WorkerLimits()
  /// A worker that has done nothing for so long is ended.
  package var hangTimeout: Duration = .seconds(120)

  /// A publisher that comes back every ten seconds makes as many in eleven hours; each is a
  /// descriptor of the worker's, and two of the node's while it starts.
  package static let maximumParts = 4_000

  package init(parts: [Part]) {
    self.parts = parts
    limits.memoryBytes = 4 << 30
    limits.niceness = 10
  }
}
