/// One tag of an FLV file: the body of an RTMP message with its time.
package struct FLVTag: Sendable, Equatable {
  /// What the body is.
  package enum Kind: UInt8, Sendable {
    case audio = 8
    case video = 9
    /// AMF0: `onMetaData` and the like.
    case script = 18
  }

  package var kind: Kind
  /// In milliseconds, all 32 bits.
  package var timestamp: UInt32
  package var body: [UInt8]

  package init(kind: Kind, timestamp: UInt32, body: [UInt8]) {
    self.kind = kind
    self.timestamp = timestamp
    self.body = body
  }
}
