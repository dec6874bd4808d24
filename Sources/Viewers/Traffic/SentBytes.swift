/// What was sent of a stream to one kind of receiver, of one rendition.
package struct SentBytes: Equatable, Sendable {
  /// Whom it was sent to.
  package enum Receiver: String, CaseIterable, Comparable, Sendable {
    /// Over HLS.
    case viewers
    /// Over RTMP.
    case players
    /// Other nodes of the cluster, and other processes of this one.
    case nodes

    package static func < (left: Receiver, right: Receiver) -> Bool {
      left.rawValue < right.rawValue
    }
  }

  /// What is counted by itself.
  package struct Line: Hashable, Comparable, Sendable {
    package var receiver: Receiver
    /// Empty for what is about all of them: the playlist of playlists.
    package var rendition: String

    package init(_ receiver: Receiver, _ rendition: String = "") {
      self.receiver = receiver
      self.rendition = rendition
    }

    package static func < (left: Line, right: Line) -> Bool {
      (left.receiver, left.rendition) < (right.receiver, right.rendition)
    }
  }

  package var line: Line
  /// Of bodies; what HTTP, TLS and TCP put around them isn't counted.
  package var bytes: UInt64
  /// Of the last few seconds.
  package var bitsPerSecond: UInt64

  package init(_ line: Line, bytes: UInt64, bitsPerSecond: UInt64 = 0) {
    self.line = line
    self.bytes = bytes
    self.bitsPerSecond = bitsPerSecond
  }
}

extension [SentBytes] {
  /// Both together, in the order of the lines.
  package func adding(_ others: [SentBytes]) -> [SentBytes] {
    if others.isEmpty { return self }
    var lines: [SentBytes.Line: SentBytes] = [:]
    for each in self + others {
      var sum = lines[each.line] ?? SentBytes(each.line, bytes: 0)
      sum.bytes &+= each.bytes
      sum.bitsPerSecond &+= each.bitsPerSecond
      lines[each.line] = sum
    }
    return lines.values.sorted { $0.line < $1.line }
  }
}
