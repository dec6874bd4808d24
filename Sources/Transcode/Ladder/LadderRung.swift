/// One quality of the ladder, as an operator writes it.
package struct LadderRung: Equatable, Hashable, Sendable {
  /// How addresses and players name it, such as `720p`.
  package var name: String
  /// The box of a landscape picture, in pixels; a portrait one is fitted into the box turned.
  package var width: Int
  package var height: Int
  /// In bits per second.
  package var videoBitrate: Int
  package var audioBitrate: Int

  package init(
    name: String, width: Int, height: Int, videoBitrate: Int, audioBitrate: Int
  ) {
    self.name = name
    self.width = width
    self.height = height
    self.videoBitrate = videoBitrate
    self.audioBitrate = audioBitrate
  }

  /// The qualities that a node has unless it is told otherwise, the largest first.
  package static let defaults = [
    LadderRung("4k", 3840, 2160, 15_000_000, 256_000),
    LadderRung("1080p", 1920, 1080, 5_000_000, 192_000),
    LadderRung("720p", 1280, 720, 2_800_000, 128_000),
    LadderRung("480p", 854, 480, 1_400_000, 96_000),
    LadderRung("360p", 640, 360, 800_000, 64_000),
    LadderRung("240p", 426, 240, 400_000, 64_000),
  ]

  var area: Int { width * height }

  private init(_ name: String, _ width: Int, _ height: Int, _ video: Int, _ audio: Int) {
    self.init(name: name, width: width, height: height, videoBitrate: video, audioBitrate: audio)
  }
}
