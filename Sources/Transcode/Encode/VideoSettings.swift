package import Media

/// How pictures are encoded.
package struct VideoSettings: Equatable, Sendable {
  /// In pixels, even.
  package var width: Int
  package var height: Int
  package var rate: FrameRate
  /// In bits per second: the mean aimed at.
  package var bitrate: Int {
    didSet { (maximumBitrate, bufferBits) = (bitrate, bitrate) }
  }
  /// The most over any stretch that `bufferBits` holds at that rate.
  var maximumBitrate: Int
  var bufferBits: Int
  /// From keyframe to keyframe, in frames; exact, no other keyframes come up.
  package var keyframeInterval: Int
  /// An encoder of libavcodec; where libx264 is missing, any H.264 encoder is taken.
  package var encoder = "libx264"
  /// The encoder's trade of speed for quality, in x264's words.
  package var preset = "veryfast"
  package var profile = "high"
  /// The encoder's own tuning; empty is none.
  var tune = "zerolatency"
  /// Encoder threads; 0 is one per core.
  package var threads = 1
  /// Whether pictures may be coded in another order than they are shown: better, but later.
  var reordersPictures = false
  var colors = PictureColors.bt709
  /// Whether the bitrate is filled up when the pictures need less.
  package var fillsBitrate = false

  package init(
    width: Int = 1280, height: Int = 720, rate: FrameRate = FrameRate(30),
    bitrate: Int = 2_000_000, keyframeSeconds: Double = 2
  ) {
    self.width = width & ~1
    self.height = height & ~1
    self.rate = rate
    self.bitrate = bitrate
    (maximumBitrate, bufferBits) = (bitrate, bitrate)
    keyframeInterval = max(1, Int((rate.perSecond * keyframeSeconds).rounded()))
  }
}

/// How sound is encoded: AAC-LC.
package struct AudioSettings: Equatable, Sendable {
  package var sampleRate = 48_000
  /// 1 or 2.
  package var channels = 2
  /// In bits per second.
  package var bitrate = 128_000

  package init() {}
}

/// What a source of media gives, in the order in which it is sent.
package enum SourceEvent: Equatable, Sendable {
  /// An AVCDecoderConfigurationRecord; precedes the first picture, and comes again if it changes.
  case videoConfiguration([UInt8])
  /// An AudioSpecificConfig; precedes the first sound, and comes again if it changes.
  case audioConfiguration([UInt8])
  case frame(Frame)
}
