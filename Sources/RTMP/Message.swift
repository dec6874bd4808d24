/// The type of a message, one byte; types nobody knows stay as they are and are ignored.
package struct MessageType: RawRepresentable, Equatable, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let setChunkSize = MessageType(rawValue: 1)
  package static let abort = MessageType(rawValue: 2)
  package static let acknowledgement = MessageType(rawValue: 3)
  package static let userControl = MessageType(rawValue: 4)
  package static let windowAcknowledgementSize = MessageType(rawValue: 5)
  package static let setPeerBandwidth = MessageType(rawValue: 6)
  package static let audio = MessageType(rawValue: 8)
  package static let video = MessageType(rawValue: 9)
  package static let dataAMF3 = MessageType(rawValue: 15)
  package static let sharedObjectAMF3 = MessageType(rawValue: 16)
  package static let commandAMF3 = MessageType(rawValue: 17)
  package static let data = MessageType(rawValue: 18)
  package static let sharedObject = MessageType(rawValue: 19)
  package static let command = MessageType(rawValue: 20)
  package static let aggregate = MessageType(rawValue: 22)
}

/// One whole message as it came off the chunk stream.
package struct Message: Equatable, Sendable {
  package var type: MessageType
  /// The message stream: 0 is the connection, others come from `createStream`.
  package var streamID: UInt32
  /// Milliseconds, 32 bits, wraps; the order of messages need not be the order of timestamps.
  package var timestamp: UInt32
  package var payload: [UInt8]

  package init(type: MessageType, streamID: UInt32 = 0, timestamp: UInt32 = 0, payload: [UInt8]) {
    self.type = type
    self.streamID = streamID
    self.timestamp = timestamp
    self.payload = payload
  }

  /// What keeping it costs, in bytes: its payload, its fields and what an array of its own takes.
  ///
  /// A peer that sends thousands of empty messages would else be kept for nothing.
  package var keptBytes: Int { payload.count + 128 }
}

/// The types of a User Control message (type 4); the first two bytes of its payload.
package enum UserControl {
  package static let streamBegin: UInt16 = 0
  package static let streamEOF: UInt16 = 1
  package static let setBufferLength: UInt16 = 3
  package static let pingRequest: UInt16 = 6
  package static let pingResponse: UInt16 = 7
}
