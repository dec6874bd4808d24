/// Small pictures side by side in one, for a player to show while somebody looks for a place.
struct SpriteSheet {
  let tiles: Int
  let columns: Int
  let tileWidth: Int
  let tileHeight: Int
  /// How long each tile stands for, in seconds.
  let interval: Double
  private let duration: Double
  private var picture: YUVPicture

  /// More make no sense at the width of a screen.
  static let maximumTiles = 100
  /// The box that a tile fits in.
  static let tileSide = 160

  /// How many tiles suit a recording: one for two seconds at most.
  static func tiles(for duration: Double) -> Int {
    min(maximumTiles, max(1, Int(duration / 2)))
  }

  /// Begins an empty sheet.
  ///
  /// - Parameters:
  ///   - duration: of the recording, in seconds.
  ///   - tileWidth: of each tile, even.
  ///   - tileHeight: of each tile, even.
  init(duration: Double, tileWidth: Int, tileHeight: Int) {
    tiles = Self.tiles(for: duration)
    columns = min(10, tiles)
    interval = duration / Double(tiles)
    self.duration = duration
    self.tileWidth = tileWidth
    self.tileHeight = tileHeight
    picture = YUVPicture(
      width: columns * tileWidth, height: (tiles + columns - 1) / columns * tileHeight)
    // Black in the range of JPEG.
    picture.y = [UInt8](repeating: 0, count: picture.y.count)
    picture.u = [UInt8](repeating: 128, count: picture.u.count)
    picture.v = [UInt8](repeating: 128, count: picture.v.count)
  }

  /// Puts a picture into a tile, in its middle; a larger one is left out.
  mutating func set(_ tile: Int, _ frame: borrowing MediaFrame) {
    guard (0..<tiles).contains(tile), frame.width <= tileWidth, frame.height <= tileHeight else {
      return
    }
    let x = (tile % columns * tileWidth + (tileWidth - frame.width) / 2) & ~1
    let y = (tile / columns * tileHeight + (tileHeight - frame.height) / 2) & ~1
    let width = picture.width
    Self.copy(
      frame.plane(0, rowBytes: frame.width, rows: frame.height), frame.width, to: &picture.y,
      width, x, y)
    for plane in 1...2 {
      let bytes = frame.plane(plane, rowBytes: frame.width / 2, rows: frame.height / 2)
      if plane == 1 {
        Self.copy(bytes, frame.width / 2, to: &picture.u, width / 2, x / 2, y / 2)
      } else {
        Self.copy(bytes, frame.width / 2, to: &picture.v, width / 2, x / 2, y / 2)
      }
    }
  }

  private static func copy(
    _ bytes: [UInt8], _ rowBytes: Int, to plane: inout [UInt8], _ width: Int, _ x: Int, _ y: Int
  ) {
    guard rowBytes > 0 else { return }
    for row in 0..<bytes.count / rowBytes {
      let start = (y + row) * width + x
      plane.replaceSubrange(
        start..<start + rowBytes, with: bytes[row * rowBytes..<(row + 1) * rowBytes])
    }
  }

  func jpeg() throws(TranscodeError) -> [UInt8] {
    var frame = try MediaFrame.picture(width: picture.width, height: picture.height)
    try frame.copy(picture)
    return try JPEGFile.encode(frame)
  }

  /// The index: which part of the sheet is of when.
  ///
  /// - Parameter file: the sheet's name.
  /// - Returns: a WebVTT file.
  func webVTT(_ file: String) -> String {
    var text = "WEBVTT\n"
    for tile in 0..<tiles {
      let start = Double(tile) * interval
      let end = tile == tiles - 1 ? duration : start + interval
      text += "\n\(Self.time(start)) --> \(Self.time(end))\n"
      text += "\(file)#xywh=\(tile % columns * tileWidth),\(tile / columns * tileHeight)"
      text += ",\(tileWidth),\(tileHeight)\n"
    }
    return text
  }

  /// A time as WebVTT has it: `01:02:03.456`.
  static func time(_ seconds: Double) -> String {
    let milliseconds = Int((max(0, seconds) * 1_000).rounded())
    func padded(_ value: Int, _ count: Int) -> String {
      let text = "\(value)"
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return padded(milliseconds / 3_600_000, 2) + ":" + padded(milliseconds / 60_000 % 60, 2) + ":"
      + padded(milliseconds / 1_000 % 60, 2) + "." + padded(milliseconds % 1_000, 3)
  }
}
