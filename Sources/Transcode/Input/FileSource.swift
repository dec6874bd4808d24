import CFFmpeg
import Media

/// A media file as a live stream: H.264 and AAC go through untouched, all else is encoded.
///
/// Its first time is 0. Played again and again, its times go on without a step.
package struct FileSource: ~Copyable {
  /// What is to be done with a file.
  package struct Options: Equatable, Sendable {
    /// Whether it starts anew at its end.
    package var loops = false
    /// For pictures that have to be encoded; rate and size are the source's.
    package var video = VideoSettings()
    package var audio = AudioSettings()
    /// Whether pictures keep their size, not that of `video`.
    package var keepsSourceSize = true

    package init() {}
  }

  private let descriptor: CInt
  private let options: Options
  private var file: InputFile
  private var packet: MediaPacket
  private var video: VideoTranscoder?
  private var audio: AudioTranscoder?
  private let videoStream: InputStream?
  private let audioStream: InputStream?
  private var interleaver: Interleaver
  /// Read ahead to find where the file's clock starts.
  private var pending: [InputPacket] = []
  /// Added to the file's own times.
  private var shift: Int64 = 0
  /// Where the current round ends, in the stream's times.
  private var end: Int64 = 0
  private var hasKeyframe = false
  private var isConfigured = false
  /// Whether H.264 comes with start codes, as in MPEG-TS.
  private var isByteStream = false
  private var sentAudioConfiguration: [UInt8] = []
  private var isOver = false
  private var emptyRounds = 0

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - descriptor: read from its start; it stays the caller's, who keeps it open.
  ///   - options: how to send and to encode it.
  /// - Throws: `.input` for what isn't media, `.codecMissing` for codecs that libavcodec lacks.
  /// - Returns: the source, before its first frame.
  package static func open(
    descriptor: CInt, options: Options
  ) throws(TranscodeError) -> FileSource {
    var source = try FileSource(descriptor: descriptor, options: options)
    try source.findStart()
    return source
  }

  private init(descriptor: CInt, options: Options) throws(TranscodeError) {
    let file = try InputFile.open(descriptor: descriptor)
    let packet = try MediaPacket()
    var video: VideoTranscoder?
    var audio: AudioTranscoder?
    if let stream = file.video, !Self.passesThrough(stream) {
      var settings = options.video
      if let rate = stream.rate, rate.perSecond <= 120 {
        let seconds = Double(settings.keyframeInterval) / settings.rate.perSecond
        settings.rate = rate
        settings.keyframeInterval = max(1, Int((rate.perSecond * seconds).rounded()))
      }
      video = try VideoTranscoder(
        decoder: file.decoder(for: stream), settings: settings,
        keepsSourceSize: options.keepsSourceSize)
    }
    if let stream = file.audio, stream.codec != AV_CODEC_ID_AAC {
      audio = try AudioTranscoder(decoder: file.decoder(for: stream), settings: options.audio)
    }
    videoStream = file.video
    audioStream = file.audio
    interleaver = Interleaver(
      tracks: (file.video == nil ? [] : [.video]) + (file.audio == nil ? [] : [.audio]))
    self.descriptor = descriptor
    self.options = options
    self.file = file
    self.packet = packet
    self.video = video
    self.audio = audio
  }

  /// Whether pictures can be sent as they are: FLV and browsers take H.264 of 8 bits, 4:2:0.
  private static func passesThrough(_ stream: InputStream) -> Bool {
    stream.codec == AV_CODEC_ID_H264 && !stream.extradata.isEmpty
      && (stream.format == AV_PIX_FMT_YUV420P.rawValue
        || stream.format == AV_PIX_FMT_YUVJ420P.rawValue)
  }

  /// Reads until every track has shown its first time; the earliest becomes 0.
  private mutating func findStart() throws(TranscodeError) {
    var missing = Set<Track>()
    if videoStream != nil { missing.insert(.video) }
    if audioStream != nil { missing.insert(.audio) }
    var start = Int64.max
    while !missing.isEmpty, pending.count < 500, let input = try file.read(&packet) {
      pending.append(input)
      if missing.remove(input.track) != nil { start = min(start, input.dts) }
    }
    guard !pending.isEmpty else { throw TranscodeError(.input, "the input holds no media") }
    shift = -start
    pending.reverse()
  }

  /// Makes what follows; at least one event, unless the file is over.
  ///
  /// - Parameter events: appended, in the order of their times.
  /// - Returns: false when all has been given.
  /// - Throws: `.input` if the file breaks off, `.libav` if a codec fails.
  package mutating func next(into events: inout [SourceEvent]) throws(TranscodeError) -> Bool {
    let count = events.count
    while events.count == count, !isOver {
      if let input = try read() {
        try take(input, into: &events)
      } else if options.loops, end > 0, emptyRounds < 2 {
        try startAnew(into: &events)
      } else {
        try finish(into: &events)
      }
    }
    return events.count > count
  }

  private mutating func read() throws(TranscodeError) -> InputPacket? {
    if let input = pending.popLast() { return input }
    return try file.read(&packet)
  }

  private mutating func startAnew(into events: inout [SourceEvent]) throws(TranscodeError) {
    var encoded: [SourceEvent] = []
    try video?.restart(into: &encoded)
    try audio?.restart(into: &encoded)
    order(encoded, into: &events)
    file = try InputFile.open(descriptor: descriptor)
    let from = end
    emptyRounds += 1
    hasKeyframe = false
    try findStart()
    shift += from
  }

  private mutating func finish(into events: inout [SourceEvent]) throws(TranscodeError) {
    isOver = true
    var encoded: [SourceEvent] = []
    try video?.finish(into: &encoded)
    try audio?.finish(into: &encoded)
    order(encoded, into: &events)
    var frames: [Frame] = []
    interleaver.pop(into: &frames, isEnding: true)
    for frame in frames { events.append(.frame(frame)) }
  }

  private mutating func take(
    _ input: InputPacket, into events: inout [SourceEvent]
  ) throws(TranscodeError) {
    end = max(end, input.pts + input.duration + shift)
    emptyRounds = 0
    var made: [SourceEvent] = []
    switch input.track {
    case .video:
      if video != nil {
        try video?.transcode(input, shift: shift, into: &made)
      } else {
        try passVideo(input, into: &made)
      }
    case .audio:
      if audio != nil {
        try audio?.transcode(input, shift: shift, into: &made)
      } else {
        passAudio(input, into: &made)
      }
    }
    order(made, into: &events)
  }

  /// Configurations go out at once, before the frames that need them; frames in order of time.
  private mutating func order(_ made: [SourceEvent], into events: inout [SourceEvent]) {
    for event in made {
      if case .frame(let frame) = event { interleaver.push(frame) } else { events.append(event) }
    }
    var frames: [Frame] = []
    interleaver.pop(into: &frames)
    for frame in frames { events.append(.frame(frame)) }
  }

  private mutating func passVideo(
    _ input: InputPacket, into events: inout [SourceEvent]
  ) throws(TranscodeError) {
    if !hasKeyframe {
      guard input.isKeyframe, let stream = videoStream else { return }
      try configureVideo(stream, into: &events)
      hasKeyframe = true
    }
    events.append(
      .frame(
        Frame(
          track: .video, codec: .h264, dts: MediaTime(ticks: input.dts + shift),
          pts: MediaTime(ticks: input.pts + shift), isKeyframe: input.isKeyframe,
          payload: isByteStream ? AnnexB.lengthPrefixed(input.bytes) : input.bytes)))
  }

  private mutating func configureVideo(
    _ stream: InputStream, into events: inout [SourceEvent]
  ) throws(TranscodeError) {
    guard !isConfigured else { return }
    isConfigured = true
    isByteStream = AnnexB.hasStartCode(stream.extradata.span)
    events.append(
      .videoConfiguration(
        isByteStream
          ? try AnnexB.configuration(parameterSets: stream.extradata) : stream.extradata))
  }

  private mutating func passAudio(_ input: InputPacket, into events: inout [SourceEvent]) {
    var configuration = audioStream?.extradata ?? []
    var payload = input.bytes
    if configuration.isEmpty {
      guard let header = ADTS.header(input.bytes.span) else { return }
      configuration = header.configuration
      payload.removeFirst(header.byteCount)
    }
    if configuration != sentAudioConfiguration {
      sentAudioConfiguration = configuration
      events.append(.audioConfiguration(configuration))
    }
    let time = MediaTime(ticks: input.dts + shift)
    events.append(
      .frame(
        Frame(
          track: .audio, codec: .aac, dts: time, pts: time, isKeyframe: true, payload: payload)))
  }
}
