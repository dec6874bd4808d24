/// What a stream's messages turn into.
package enum MediaEvent: Sendable {
  /// A track begins or its configuration changed; a repeated record is not reported again.
  case configuration(TrackConfiguration)
  /// A picture or a packet of sound.
  case frame(Frame)
  /// The publisher says that a track's sequence is over.
  case sequenceEnd(Track, trackID: UInt8)
  /// AMF data about the colours of the picture (HDR), as it came.
  case colour([UInt8], trackID: UInt8)
  /// A track's timestamps had to be repaired before the next frame.
  case repaired(Track, TimestampUnwrapper.Event)
}

/// Turns the audio and video messages of one stream into frames with 64-bit times.
///
/// A value without a clock or a socket: the publisher's session owns one, and hands it the messages
/// as they come. A message that can't be read is lost and the next one is none the worse.
package struct TagDemuxer: Sendable {
  private var unwrapper: TimestampUnwrapper
  /// The records of the main tracks, then those of other tracks, at most 16.
  package private(set) var configurations: [TrackConfiguration] = []

  /// How many tracks may be configured; more than these are passed over.
  package static let maximumTracks = 16

  package init(limits: TimestampUnwrapper.Limits = .init()) {
    unwrapper = TimestampUnwrapper(limits: limits)
  }

  /// The latest time given to any frame.
  package var head: MediaTime { MediaTime(milliseconds: unwrapper.head) }

  /// The configuration of a track, if its sequence header has come.
  package func configuration(of track: Track, id: UInt8 = 0) -> TrackConfiguration? {
    configurations.first { $0.track == track && $0.trackID == id }
  }

  /// Takes a video message.
  ///
  /// - Parameters:
  ///   - payload: the body of the message; frames share it.
  ///   - timestamp: of the message, in milliseconds modulo 2^32.
  ///   - emit: is given what the message holds, in order.
  /// - Throws: `TagError`, when the message (or the rest of it) can't be used.
  package mutating func video(
    _ payload: [UInt8], timestamp: UInt32, _ emit: (MediaEvent) -> Void
  ) throws(TagError) {
    var failure: TagError?
    try VideoTag.parse(payload.span) { tag in
      switch tag.content {
      case .sequenceStart:
        do throws(TagError) {
          try configure(tag.codec, tag.trackID, payload, tag.body, emit)
        } catch {
          failure = error
        }
      case .frame where !tag.body.isEmpty:
        let dts = time(timestamp, tag.nanoseconds, .video, emit)
        let offset = MediaTime(milliseconds: Int64(tag.compositionMilliseconds))
        emit(
          .frame(
            frame(
              tag.codec, tag.trackID, tag.isKeyframe, dts: dts, pts: dts + offset, payload, tag.body
            )))
      case .sequenceEnd: emit(.sequenceEnd(.video, trackID: tag.trackID))
      case .metadata: emit(.colour([UInt8](payload[tag.body]), trackID: tag.trackID))
      case .frame, .multichannel, .other: break
      }
    }
    if let failure { throw failure }
  }

  /// Takes an audio message; an empty one is silence and gives nothing.
  ///
  /// - Parameters:
  ///   - payload: the body of the message; frames share it.
  ///   - timestamp: of the message, in milliseconds modulo 2^32.
  ///   - emit: is given what the message holds, in order.
  /// - Throws: `TagError`, when the message (or the rest of it) can't be used.
  package mutating func audio(
    _ payload: [UInt8], timestamp: UInt32, _ emit: (MediaEvent) -> Void
  ) throws(TagError) {
    var failure: TagError?
    try AudioTag.parse(payload.span) { tag in
      switch tag.content {
      case .sequenceStart:
        do throws(TagError) {
          try configure(tag.codec, tag.trackID, payload, tag.body, emit)
        } catch {
          failure = error
        }
      case .frame:
        let dts = time(timestamp, tag.nanoseconds, .audio, emit)
        emit(.frame(frame(tag.codec, tag.trackID, true, dts: dts, pts: dts, payload, tag.body)))
      case .sequenceEnd: emit(.sequenceEnd(.audio, trackID: tag.trackID))
      case .metadata, .multichannel, .other: break
      }
    }
    if let failure { throw failure }
  }

  /// Remembers a record and reports it if it is new.
  ///
  /// Its timestamp is not looked at: encoders send sequence headers with the time 0 when they
  /// repeat them, and that is no step back.
  private mutating func configure(
    _ codec: Codec, _ trackID: UInt8, _ payload: [UInt8], _ body: Range<Int>,
    _ emit: (MediaEvent) -> Void
  ) throws(TagError) {
    let index = configurations.firstIndex { $0.track == codec.track && $0.trackID == trackID }
    if let index, configurations[index].codec == codec,
      configurations[index].record.elementsEqual(payload[body])
    {
      return
    }
    let configuration: TrackConfiguration
    do throws(ConfigurationError) {
      configuration = try TrackConfiguration(
        codec: codec, record: [UInt8](payload[body]), trackID: trackID)
    } catch {
      throw .configuration(codec, error)
    }
    if let index {
      configurations[index] = configuration
    } else if configurations.count < Self.maximumTracks {
      configurations.append(configuration)
    } else {
      return
    }
    emit(.configuration(configuration))
  }

  private mutating func time(
    _ timestamp: UInt32, _ nanoseconds: UInt32, _ track: Track, _ emit: (MediaEvent) -> Void
  ) -> MediaTime {
    let reading = unwrapper.unwrap(timestamp, track: track)
    switch reading.event {
    case .continuous, .wrapped: break
    case .held, .steppedBack, .jumped, .joined: emit(.repaired(track, reading.event))
    }
    return MediaTime(ticks: reading.milliseconds * 90 + Int64(nanoseconds) * 9 / 100_000)
  }

  /// A frame that shares the message, or has a copy of its part where others follow it.
  private func frame(
    _ codec: Codec, _ trackID: UInt8, _ isKeyframe: Bool, dts: MediaTime, pts: MediaTime,
    _ payload: [UInt8], _ body: Range<Int>
  ) -> Frame {
    let isLast = body.upperBound == payload.count
    return Frame(
      track: codec.track, codec: codec, dts: dts, pts: pts, isKeyframe: isKeyframe,
      payload: isLast ? payload : [UInt8](payload[body]),
      payloadOffset: isLast ? body.lowerBound : 0, trackID: trackID)
  }
}
