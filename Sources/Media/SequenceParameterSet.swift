/// What a stream's H.264 sequence parameter set says about the picture.
///
/// Source: ITU-T H.264, 7.3.2.1.1 and annex E.
package struct SequenceParameterSet: Sendable, Equatable {
  package var profile: UInt8
  package var constraints: UInt8
  package var level: UInt8
  /// In luma samples, after cropping.
  package var width: Int
  package var height: Int
  /// Whether pictures may be coded as fields.
  package var isInterlaced: Bool
  /// Width to height of one sample; 1:1 where it isn't said.
  package var sampleAspect: Ratio
  /// Frames per second from the timing information; nil where there is none that makes sense.
  package var frameRate: Double?

  /// A ratio of two small numbers.
  package struct Ratio: Sendable, Equatable {
    package var width: Int
    package var height: Int
  }

  /// Reads a whole NAL unit of type 7, its header byte included.
  ///
  /// - Throws: `.truncated`, or `.invalid` for sizes beyond 16,384 samples.
  package init(nal: borrowing Span<UInt8>) throws(ConfigurationError) {
    guard nal.count >= 4 else { throw .truncated }
    guard nal[0] & 0x1F == 7 else { throw .invalid("NAL type \(nal[0] & 0x1F) is no SPS") }
    var bits = BitReader(rbspOf: nal, from: 1)
    profile = UInt8(try bits.bits(8))
    constraints = UInt8(try bits.bits(8))
    level = UInt8(try bits.bits(8))
    _ = try bits.ue()  // seq_parameter_set_id
    var chroma: UInt32 = 1
    if [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(profile) {
      chroma = try Self.readHighProfileFields(&bits)
    }
    _ = try bits.ue()  // log2_max_frame_num_minus4
    switch try bits.ue() {  // pic_order_cnt_type
    case 0: _ = try bits.ue()
    case 1:
      try bits.skip(1)
      _ = try bits.se()
      _ = try bits.se()
      let cycle = try bits.ue()
      guard cycle <= 255 else { throw .invalid("\(cycle) reference frames in a POC cycle") }
      for _ in 0..<cycle { _ = try bits.se() }
    default: break
    }
    _ = try bits.ue()  // max_num_ref_frames
    try bits.skip(1)
    let widthInMacroblocks = Int(try bits.ue()) + 1
    let heightInUnits = Int(try bits.ue()) + 1
    let framesOnly = try bits.flag()
    isInterlaced = !framesOnly
    if !framesOnly { try bits.skip(1) }
    try bits.skip(1)  // direct_8x8_inference_flag
    guard widthInMacroblocks <= 1024, heightInUnits <= 1024 else {
      throw .invalid("a picture of \(widthInMacroblocks) × \(heightInUnits) macroblocks")
    }
    width = widthInMacroblocks * 16
    height = heightInUnits * 16 * (framesOnly ? 1 : 2)
    if try bits.flag() {
      let horizontal = chroma == 1 || chroma == 2 ? 2 : 1
      let vertical = (chroma == 1 ? 2 : 1) * (framesOnly ? 1 : 2)
      let left = Int(try bits.ue())
      let right = Int(try bits.ue())
      let top = Int(try bits.ue())
      let bottom = Int(try bits.ue())
      let cropped = (width - (left + right) * horizontal, height - (top + bottom) * vertical)
      guard cropped.0 > 0, cropped.1 > 0 else { throw .invalid("cropped to nothing") }
      (width, height) = cropped
    }
    sampleAspect = Ratio(width: 1, height: 1)
    frameRate = nil
    // Encoders cut the optional part short now and then: what was read before it stands.
    try? readUsabilityInformation(&bits)
  }

  /// Reads chroma format to scaling matrices.
  ///
  /// - Returns: `chroma_format_idc`, 0 where the colour planes are coded apart.
  private static func readHighProfileFields(
    _ bits: inout BitReader
  ) throws(ConfigurationError) -> UInt32 {
    var chroma = try bits.ue()
    let lists = chroma == 3 ? 12 : 8
    guard chroma <= 3 else { throw .invalid("chroma format \(chroma)") }
    if chroma == 3, try bits.flag() { chroma = 0 }
    _ = try bits.ue()
    _ = try bits.ue()
    try bits.skip(1)
    guard try bits.flag() else { return chroma }
    for list in 0..<lists where try bits.flag() {
      var last: Int32 = 8
      var next: Int32 = 8
      for _ in 0..<(list < 6 ? 16 : 64) {
        if next != 0 { next = (last &+ (try bits.se())) & 0xFF }
        last = next == 0 ? last : next
      }
    }
    return chroma
  }

  /// Reads the sample aspect ratio and the timing from the VUI, if there is one.
  private mutating func readUsabilityInformation(
    _ bits: inout BitReader
  ) throws(ConfigurationError) {
    guard try bits.flag() else { return }
    if try bits.flag() {
      let index = Int(try bits.bits(8))
      if index == 255 {
        let ratio = Ratio(width: Int(try bits.bits(16)), height: Int(try bits.bits(16)))
        if ratio.width > 0, ratio.height > 0 { sampleAspect = ratio }
      } else if index > 0, index < Self.aspects.count {
        sampleAspect = Self.aspects[index]
      }
    }
    if try bits.flag() { try bits.skip(1) }  // overscan
    if try bits.flag() {  // video signal type
      try bits.skip(4)
      if try bits.flag() { try bits.skip(24) }
    }
    if try bits.flag() {  // chroma location
      _ = try bits.ue()
      _ = try bits.ue()
    }
    guard try bits.flag() else { return }
    let units = try bits.bits(32)
    let scale = try bits.bits(32)
    guard units > 0, scale > 0 else { return }
    // A tick is a field's time, so two make a frame.
    let rate = Double(scale) / (2 * Double(units))
    if rate >= 1, rate <= 480 { frameRate = rate }
  }

  /// Table E-1 of H.264: `aspect_ratio_idc` 0 to 16.
  private static let aspects = [
    (1, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
  ].map { Ratio(width: $0.0, height: $0.1) }
}
