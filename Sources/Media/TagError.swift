/// Why the body of an audio or video message can't be taken.
package enum TagError: Error, Equatable, Sendable {
  /// It ends inside a field of its header. The message is lost, the stream isn't.
  case truncated
  /// A codec that FLV and E-RTMP don't define: the publisher should be told so.
  case unknownCodec(String)
  /// A packet type that the specification reserves. The message can be passed over.
  case unknownPacketType(UInt8)
  /// The codec configuration can't be read.
  case configuration(Codec, ConfigurationError)
}

/// What a message of one track carries.
package enum TagContent: Sendable, Equatable {
  /// A decoder configuration record.
  case sequenceStart
  /// Coded data.
  case frame
  /// The sequence ends; nothing follows in the body.
  case sequenceEnd
  /// AMF: for video the colour information of HDR (`colorInfo`).
  case metadata
  /// Channel order and layout of the sound.
  case multichannel
  /// Something that has no use for us: a seek command, an AV1 descriptor for transport streams.
  case other
}
