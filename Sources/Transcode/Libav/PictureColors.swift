import CFFmpeg

/// How the numbers of a picture mean colours: codes of ITU-T H.273.
struct PictureColors: Equatable, Sendable {
  var primaries: UInt32
  var transfer: UInt32
  var matrix: UInt32

  /// High definition's.
  static let bt709 = PictureColors(primaries: 1, transfer: 1, matrix: 1)
  /// Standard definition's, with NTSC's primaries.
  static let bt601 = PictureColors(primaries: 6, transfer: 6, matrix: 6)

  private static let unspecified: UInt32 = 2

  init(primaries: UInt32, transfer: UInt32, matrix: UInt32) {
    self.primaries = primaries
    self.transfer = transfer
    self.matrix = matrix
  }

  /// What a decoded picture says; what it leaves open is that of its size's time.
  ///
  /// A player guesses the same from what it sees, but a small rung of a large picture would make it
  /// guess wrong: so nothing is left open further on.
  init(of picture: borrowing MediaFrame) {
    let guess = picture.height >= 720 ? Self.bt709 : Self.bt601
    func known(_ value: UInt32, _ guess: UInt32) -> UInt32 {
      value == Self.unspecified || value == 0 || value > 22 ? guess : value
    }
    primaries = known(unsafe picture.pointer.pointee.color_primaries.rawValue, guess.primaries)
    transfer = known(unsafe picture.pointer.pointee.color_trc.rawValue, guess.transfer)
    matrix = known(unsafe picture.pointer.pointee.colorspace.rawValue, guess.matrix)
  }

  /// Tells an encoder.
  func apply(to context: UnsafeMutablePointer<AVCodecContext>) {
    unsafe context.pointee.color_range = AVCOL_RANGE_MPEG
    unsafe context.pointee.colorspace = AVColorSpace(matrix)
    unsafe context.pointee.color_primaries = AVColorPrimaries(primaries)
    unsafe context.pointee.color_trc = AVColorTransferCharacteristic(transfer)
  }
}
