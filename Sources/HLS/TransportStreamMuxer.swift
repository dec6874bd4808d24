package import Media

/// Writes H.264 and AAC into an MPEG transport stream, segment after segment.
///
/// Continuity counters and timestamps run on from one segment to the next. Payload is copied once,
/// from the frame into the packets; sound passes through a small buffer that gathers a few frames
/// into one PES packet. Source: ISO/IEC 13818-1; Annex B of H.264; ADTS of ISO/IEC 14496-3.
package struct TransportStreamMuxer {
  private var associationContinuity: UInt8 = 0
  private var mapContinuity: UInt8 = 0
  private var videoContinuity: UInt8 = 0
  private var audioContinuity: UInt8 = 0
  /// Whether a track's next packet follows from none before it.
  private var breaksVideo = false
  private var breaksAudio = false
  private var version: UInt8 = 31
  private var video: AVCDecoderConfiguration?
  private var audio: AudioSpecificConfig?
  /// Start codes and parameter sets, as they go before a keyframe.
  private var parameterSets: [UInt8] = []

  /// Sound that waits for its PES packet: frames with their ADTS headers.
  private var gathered: [UInt8] = []
  private var gatheredTime: Int64 = 0
  private var gatheredFrames: Int64 = 0

  /// Where the stream's time 0 stands: 10 s, so that clock references and repaired decoding times
  /// stay above 0.
  package static let origin = MediaTime(milliseconds: 10_000)
  /// How long data may lie in a decoder's buffer: references run this far behind decoding times.
  private static let delay: Int64 = 63_000
  /// Sound goes out when it has this many bytes: one PES packet of 16 transport packets.
  private static let gatheredBytes = 2_900
  /// … or this many frames (170 ms of AAC at 48 kHz).
  private static let gatheredLimit: Int64 = 8
  /// From which distance a frame's time is not the one that follows from the frames before it:
  /// 2 ms, as timestamps are rounded to 1 ms.
  private static let tolerance: Int64 = 180

  package init() {}

  /// Whether these tracks can be written: H.264, and AAC that ADTS can describe.
  package static func canWrite(_ configuration: TrackConfiguration) -> Bool {
    switch configuration.details {
    case .avc: true
    case .aac(let aac):
      (1...4).contains(aac.objectType) && aac.sampleRateIndex != nil
        && aac.channelConfiguration <= 7 && aac.samplesPerFrame == 1_024
    default: false
    }
  }

  /// Sets the tracks from the next segment on.
  package mutating func setTracks(video: TrackConfiguration?, audio: TrackConfiguration?) {
    version = (version + 1) & 0x1F
    self.video = nil
    self.audio = nil
    parameterSets.removeAll(keepingCapacity: true)
    if case .avc(let avc) = video?.details {
      self.video = avc
      for set in avc.sequenceParameterSets + avc.pictureParameterSets {
        parameterSets += [0, 0, 0, 1]
        parameterSets += set
      }
    }
    if case .aac(let aac) = audio?.details { self.audio = aac }
  }

  /// Writes what a segment begins with: PAT and PMT.
  ///
  /// - Parameters:
  ///   - output: the segment.
  ///   - isDiscontinuity: whether what comes follows from nothing that a player has had: its
  ///     counters and its clock may be another node's.
  package mutating func beginSegment(_ output: inout [UInt8], isDiscontinuity: Bool = false) {
    if isDiscontinuity {
      breaksVideo = true
      breaksAudio = true
    }
    TransportStreamTables.appendAssociation(continuity: associationContinuity, to: &output)
    TransportStreamTables.appendMap(
      hasVideo: video != nil, hasAudio: audio != nil, version: version,
      continuity: mapContinuity, to: &output)
    associationContinuity = (associationContinuity + 1) & 0x0F
    mapContinuity = (mapContinuity + 1) & 0x0F
  }

  /// Writes what is still gathered; the segment is then whole.
  package mutating func finishSegment(_ output: inout [UInt8]) { flushAudio(&output) }

  /// Writes a picture.
  ///
  /// - Parameters:
  ///   - frame: H.264 with the lengths that its configuration says.
  ///   - dts: its decoding time from the stream's time 0.
  ///   - pts: its presentation time, not before `dts`.
  ///   - output: the segment.
  /// - Returns: false if it holds no whole NAL unit: nothing is then written.
  @discardableResult
  package mutating func writeVideo(
    _ frame: Frame, dts: MediaTime, pts: MediaTime, to output: inout [UInt8]
  ) -> Bool {
    guard let video else { return false }
    var units = NALUnits(lengthSize: video.lengthSize, from: frame.payloadOffset)
    var elementary = 0
    var hasOwnSets = false
    while let unit = units.next(in: frame.payload.span) {
      let type = frame.payload[unit.lowerBound] & 0x1F
      if type == 9 { continue }
      if type == 7 { hasOwnSets = true }
      elementary += 4 + unit.count
    }
    guard elementary > 0 else { return false }
    let sets = frame.isKeyframe && !hasOwnSets
    elementary += Self.delimiter.count + (sets ? parameterSets.count : 0)
    let header = PESHeader(
      streamID: 0xE0, pts: pts + Self.origin, dts: dts + Self.origin, payloadBytes: nil)
    let total = header.count + elementary
    let reference = (dts + Self.origin).ticks - Self.delay
    let size = PacketCursor.size(of: total, hasReference: true)
    let breaks = breaksVideo
    breaksVideo = false
    let lengthSize = video.lengthSize
    unsafe output.appendPackets(size) { memory in
      var cursor = unsafe PacketCursor(
        memory, pid: TransportStreamTables.videoPID, continuity: videoContinuity, bytes: total,
        reference: reference, isRandomAccess: frame.isKeyframe, isDiscontinuity: breaks)
      header.write(to: &cursor)
      cursor.write(Self.delimiter)
      if sets { cursor.write(parameterSets) }
      unsafe frame.payload.withUnsafeBufferPointer { payload in
        var units = NALUnits(lengthSize: lengthSize, from: frame.payloadOffset)
        while let unit = units.next(in: frame.payload.span) {
          if unsafe payload[unit.lowerBound] & 0x1F == 9 { continue }
          cursor.write(Self.startCode)
          unsafe cursor.write(UnsafeBufferPointer(rebasing: payload[unit]))
        }
      }
      videoContinuity = cursor.nextContinuity
      return cursor.filled
    }
    return true
  }

  /// Takes a frame of sound; it is written with its neighbours.
  ///
  /// - Parameters:
  ///   - frame: raw AAC, at most 8,184 bytes.
  ///   - pts: its time from the stream's time 0.
  ///   - output: the segment.
  /// - Returns: false if it is empty or too long for ADTS: it is then dropped.
  @discardableResult
  package mutating func writeAudio(
    _ frame: Frame, pts: MediaTime, to output: inout [UInt8]
  ) -> Bool {
    guard let audio, let rate = audio.sampleRateIndex else { return false }
    let length = frame.byteCount + 7
    guard frame.byteCount > 0, length <= 0x1FFF else { return false }
    if gatheredFrames > 0 {
      let span = gatheredFrames * Int64(audio.samplesPerFrame) * 90_000
      let expected = gatheredTime + span / Int64(audio.sampleRate)
      if gatheredFrames >= Self.gatheredLimit || gathered.count + length > Self.gatheredBytes
        || abs(pts.ticks - expected) > Self.tolerance
      {
        flushAudio(&output)
      }
    }
    if gatheredFrames == 0 { gatheredTime = pts.ticks }
    gatheredFrames += 1
    let profile = (audio.objectType - 1) & 3
    let channels = audio.channelConfiguration & 7
    gathered.append(0xFF)
    gathered.append(0xF1)  // MPEG-4, no checksum
    gathered.append(profile << 6 | rate << 2 | channels >> 2)
    gathered.append(channels << 6 | UInt8(truncatingIfNeeded: length >> 11))
    gathered.append(UInt8(truncatingIfNeeded: length >> 3))
    gathered.append(UInt8(truncatingIfNeeded: length << 5) | 0x1F)  // buffer fullness: variable
    gathered.append(0xFC)
    gathered.append(contentsOf: frame.payload[frame.payloadOffset...])
    return true
  }

  /// Writes the gathered sound as one PES packet.
  private mutating func flushAudio(_ output: inout [UInt8]) {
    guard gatheredFrames > 0 else { return }
    let time = MediaTime(ticks: gatheredTime) + Self.origin
    let header = PESHeader(streamID: 0xC0, pts: time, dts: time, payloadBytes: gathered.count)
    let total = header.count + gathered.count
    let reference = video == nil ? time.ticks - Self.delay : nil
    let breaks = breaksAudio
    breaksAudio = false
    let size = PacketCursor.size(
      of: total, hasReference: reference != nil, isDiscontinuity: breaks)
    unsafe output.appendPackets(size) { memory in
      var cursor = unsafe PacketCursor(
        memory, pid: TransportStreamTables.audioPID, continuity: audioContinuity, bytes: total,
        reference: reference, isRandomAccess: reference != nil, isDiscontinuity: breaks)
      header.write(to: &cursor)
      cursor.write(gathered)
      audioContinuity = cursor.nextContinuity
      return cursor.filled
    }
    gathered.removeAll(keepingCapacity: true)
    gatheredFrames = 0
  }

  private static let startCode: [UInt8] = [0, 0, 0, 1]
  /// An access unit delimiter: any slice types.
  private static let delimiter: [UInt8] = [0, 0, 0, 1, 9, 0xF0]
}

extension [UInt8] {
  /// Makes room at the end, and lets it be filled without clearing it first.
  ///
  /// - Parameters:
  ///   - count: the bytes to reserve.
  ///   - fill: is given exactly that memory; says how much it filled from the start.
  fileprivate mutating func appendPackets(
    _ count: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Int
  ) {
    // Doubling, so that a segment longer than foreseen is moved a few times only.
    if capacity - self.count < count {
      reserveCapacity(Swift.max(self.count + count, capacity * 2))
    }
    append(addingCapacity: count) { span in
      unsafe span.withUnsafeMutableBufferPointer { memory, filled in
        filled = unsafe fill(UnsafeMutableBufferPointer(rebasing: memory.prefix(count)))
      }
    }
  }
}
