import CFFmpeg
import Media

/// What comes out of a video encoder, and its way into FLV and MP4.
enum EncodedBitstream: Equatable, Sendable {
  case h264, h265, av1

  /// Nil for codecs that nothing here packages.
  init?(_ codec: AVCodecID) {
    switch codec {
    case AV_CODEC_ID_H264: self = .h264
    case AV_CODEC_ID_HEVC: self = .h265
    case AV_CODEC_ID_AV1: self = .av1
    default: return nil
    }
  }

  var codec: Codec {
    switch self {
    case .h264: .h264
    case .h265: .h265
    case .av1: .av1
    }
  }

  /// Builds the decoder configuration record: `avcC`, `hvcC` or `av1C`.
  ///
  /// - Parameter bytes: the encoder's global headers.
  /// - Returns: the record.
  /// - Throws: `.input` if they lack what the record needs.
  func configuration(parameterSets bytes: [UInt8]) throws(TranscodeError) -> [UInt8] {
    switch self {
    case .h264: try AnnexB.configuration(parameterSets: bytes)
    case .h265: try HEVCRecord.configuration(parameterSets: bytes)
    case .av1: try AV1Record.configuration(sequenceHeader: bytes)
    }
  }

  /// One frame as FLV and MP4 hold it: without start codes, without delimiters.
  func payload(_ bytes: [UInt8]) -> [UInt8] {
    switch self {
    case .h264: AnnexB.lengthPrefixed(bytes)
    case .h265: AnnexB.lengthPrefixed(bytes, isDelimiter: { $0 >> 1 & 0x3F == 35 })
    case .av1: AV1Record.withoutDelimiters(bytes)
    }
  }
}
