package import Viewers

/// What was sent of a stream to one kind of receiver, of one rendition.
package struct SentStatus: Codable, Equatable, Sendable {
  /// `viewers` over HLS, `players` over RTMP, or `nodes` of the cluster.
  package var receiver: String
  /// Nil for playlists of playlists, and for what nodes tell each other.
  package var rendition: String?
  package var bytesOut: UInt64
  package var bitsOutPerSecond: UInt64

  package init(
    receiver: String, rendition: String?, bytesOut: UInt64, bitsOutPerSecond: UInt64 = 0
  ) {
    self.receiver = receiver
    self.rendition = rendition
    self.bytesOut = bytesOut
    self.bitsOutPerSecond = bitsOutPerSecond
  }

  package init(_ sent: SentBytes) {
    receiver = sent.line.receiver.rawValue
    rendition = sent.line.rendition.isEmpty ? nil : sent.line.rendition
    bytesOut = sent.bytes
    bitsOutPerSecond = sent.bitsPerSecond
  }

  enum CodingKeys: String, CodingKey {
    case receiver = "to"
    case rendition
    case bytesOut = "bytes_out"
    case bitsOutPerSecond = "bw_out"
  }
}

extension TrafficStatus {
  /// Adds what was sent up.
  package mutating func add(_ sent: [SentBytes]) {
    for each in sent {
      bytesOut &+= each.bytes
      bitsOutPerSecond &+= each.bitsPerSecond
    }
  }
}
