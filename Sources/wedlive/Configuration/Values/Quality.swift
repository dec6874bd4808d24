/// One quality as an operator writes it: `1280x720 2800k 128k`, or `off`.
struct Quality: Equatable, Sendable, CustomStringConvertible {
  /// The box of a landscape picture in pixels; 0 where the quality is off.
  var width: Int
  var height: Int
  /// In bits per second.
  var video: Int
  var audio: Int

  static let off = Quality(0, 0, 0, 0)

  init(_ width: Int, _ height: Int, _ video: Int, _ audio: Int) {
    self.width = width
    self.height = height
    self.video = video
    self.audio = audio
  }

  /// Reads one.
  ///
  /// - Returns: nil where it isn't one, or no encoder could make it.
  init?(_ text: String) {
    if text.lowercased() == "off" || text.lowercased() == "false" {
      self = .off
      return
    }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 3 else { return nil }
    let sides = words[0].lowercased().split(separator: "x", omittingEmptySubsequences: false)
    guard sides.count == 2, let width = Int(sides[0]), let height = Int(sides[1]),
      (64...8_192).contains(width), (64...8_192).contains(height),
      let video = BitrateText.parse(String(words[1])), (50_000...200_000_000).contains(video),
      let audio = BitrateText.parse(String(words[2])), (16_000...512_000).contains(audio)
    else { return nil }
    self.init(width, height, video, audio)
  }

  var isOff: Bool { width == 0 }

  var description: String {
    isOff
      ? "off"
      : "\(width)x\(height) \(BitrateText.format(video)) \(BitrateText.format(audio))"
  }
}
