/// What the files of a result are called.
enum RemuxFile {
  static func movie(_ index: Int) -> String {
    index == 0 ? "recording.mp4" : "recording-\(index + 1).mp4"
  }
  static func playback(_ index: Int) -> String { index == 0 ? "hls.mp4" : "hls-\(index + 1).mp4" }
  static func item(_ item: RemuxMessage.Item) -> String {
    switch item {
    case .thumbnail(let number): "thumbnail-\(number).jpg"
    case .sprite: "sprite.jpg"
    case .index: "sprite.vtt"
    }
  }
}
