/// What one RTMP connection may take; every number has a reason to be met by honest peers.
package struct Limits: Equatable, Sendable {
  /// The largest chunk size a peer may set, in bytes; 0 is always refused.
  package var chunkSizeBytes = 16 << 20
  /// The largest message, in bytes; a 4K IDR passes 1 MiB, the field on the wire has 24 bits.
  package var messageBytes = 16 << 20
  /// The largest command message, in bytes; `connect` of real clients stays below 2 KiB.
  package var commandBytes = 64 << 10
  /// What unfinished messages of all chunk streams may hold together, in bytes.
  package var memoryBytes = 24 << 20
  /// The same of a client that has asked to publish and waits for the answer, in bytes.
  package var unadmittedBytes = 4 << 20
  /// How many chunk stream ids a peer may open; real clients use 2 to 6.
  package var chunkStreams = 64
  /// How many message streams (`createStream`) may be open at once.
  package var streams = 16
  /// An acknowledgement is sent at least each time this many bytes came, asked for or not.
  package var acknowledgeEveryBytes = 2_500_000
  /// The chunk size we send with, 1...16_777_215 bytes.
  package var sendChunkSizeBytes = 60_000
  /// The window we ask the peer to acknowledge, in bytes.
  package var windowBytes: UInt32 = 5_000_000
  /// A peer from which nothing came for so long is pinged.
  package var pingAfterMilliseconds: UInt64 = 15_000
  /// A peer from which nothing came for so long is given up.
  package var silentAfterMilliseconds: UInt64 = 45_000
  /// What one AMF message may unfold to.
  package var amf = AMFLimits()

  /// The same of one that doesn't publish, in bytes: anybody may come, and may stay to play; what
  /// is sent then is commands.
  package var strangerBytes: Int { 2 * commandBytes }
  /// How many tags an aggregate message may have; a second of media has some hundred.
  package var aggregateTags = 4_096

  package init() {}
}

/// What the values of one AMF message may unfold to.
package struct AMFLimits: Equatable, Sendable {
  /// How deep objects and arrays may nest.
  package var depth = 32
  /// How many values, members and references count in one message.
  package var values = 65_536

  package init() {}
}
