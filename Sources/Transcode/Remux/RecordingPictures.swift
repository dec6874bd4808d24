import Media

/// Takes the pictures of a recording as its keyframes go by: thumbnails, and the tiles of a sheet.
struct RecordingPictures: ~Copyable {
  private let order: RemuxOrder
  private let scan: RecordingScan
  private var still: StillPicture
  private var movie: Int?
  /// Which keyframe is the next one, and what is to be made of which.
  private var number = 0
  private var thumbnailsAt: [Int: [Int]] = [:]
  private var tilesAt: [Int: [Int]] = [:]
  /// What a keyframe that gave no picture has left to the next one.
  private var thumbnailsDue: [Int] = []
  private var tilesDue: [Int] = []
  private var thumbnails: [RemuxResult.Thumbnail] = []
  private var sheet: SpriteSheet?
  private var duration: Double { Double(scan.duration) / 90_000 }

  init(_ order: RemuxOrder, _ scan: RecordingScan) throws(TranscodeError) {
    self.order = order
    self.scan = scan
    still = try StillPicture()
    guard !scan.keyframes.isEmpty, scan.duration > 0 else { return }
    for index in 0..<order.thumbnails {
      let time = (Double(index) + 0.5) * Double(scan.duration) / Double(order.thumbnails)
      thumbnailsAt[keyframe(at: Int64(time)), default: []].append(index + 1)
    }
    guard order.makesSprite else { return }
    let tiles = SpriteSheet.tiles(for: duration)
    for tile in 0..<tiles {
      let time = (Double(tile) + 0.5) * Double(scan.duration) / Double(tiles)
      tilesAt[keyframe(at: Int64(time)), default: []].append(tile)
    }
  }

  /// The last keyframe that isn't after a time; the first one if all are.
  private func keyframe(at time: Int64) -> Int {
    var low = 0
    var high = scan.keyframes.count
    while low < high {
      let middle = (low + high) / 2
      if scan.keyframes[middle] <= time { low = middle + 1 } else { high = middle }
    }
    return max(0, low - 1)
  }

  /// Looks at the next frame of the recording.
  ///
  /// What can't be decoded, or made small, is no reason to have no movie: the next keyframe has a
  /// try.
  mutating func take(_ placed: RecordingTimeline.Placed, _ voice: RemuxVoice) {
    let frame = placed.frame
    guard frame.track == .video, frame.isKeyframe else { return }
    thumbnailsDue += thumbnailsAt[number] ?? []
    tilesDue += tilesAt[number] ?? []
    number += 1
    guard !thumbnailsDue.isEmpty || !tilesDue.isEmpty, placed.movie < scan.movies.count else {
      return
    }
    if placed.movie != movie {
      movie = placed.movie
      still.use(scan.movies[placed.movie].video)
    }
    voice.beat()
    try? make(of: frame, at: Double(placed.time) / 90_000, voice)
  }

  /// Makes all that is due of a keyframe.
  private mutating func make(
    of frame: Frame, at time: Double, _ voice: RemuxVoice
  ) throws(TranscodeError) {
    guard try still.decode(frame) else { return }
    while let number = thumbnailsDue.first {
      try thumbnail(number, at: time, voice)
      thumbnailsDue.removeFirst()
    }
    if !tilesDue.isEmpty { try tile() }
    tilesDue = []
  }

  private mutating func thumbnail(
    _ number: Int, at time: Double, _ voice: RemuxVoice
  ) throws(TranscodeError) {
    let side = order.thumbnailSide
    let (width, height) = still.size(width: side, height: side)
    let bytes = try JPEGFile.encode(try still.scaled(width: width, height: height))
    voice.say(.file(.thumbnail(number), bytes))
    thumbnails.append(
      RemuxResult.Thumbnail(
        file: RemuxFile.item(.thumbnail(number)), bytes: bytes.count, at: time, width: width,
        height: height))
  }

  private mutating func tile() throws(TranscodeError) {
    // All tiles have the size of the first one.
    let box =
      sheet.map { ($0.tileWidth, $0.tileHeight) } ?? (SpriteSheet.tileSide, SpriteSheet.tileSide)
    let (width, height) = still.size(width: box.0, height: box.1)
    let small = try still.scaled(width: width, height: height)
    if sheet == nil {
      sheet = SpriteSheet(duration: duration, tileWidth: width, tileHeight: height)
    }
    for tile in tilesDue { sheet?.set(tile, small) }
  }

  /// Ends with the sheet.
  ///
  /// - Returns: what was made; in the order of time.
  mutating func finish(
    _ voice: RemuxVoice
  ) -> ([RemuxResult.Thumbnail], RemuxResult.Sprite?) {
    guard let sheet, let bytes = try? sheet.jpeg() else { return (thumbnails, nil) }
    let file = RemuxFile.item(.sprite)
    voice.say(.file(.sprite, bytes))
    voice.say(.file(.index, Array(sheet.webVTT(file).utf8)))
    return (
      thumbnails,
      RemuxResult.Sprite(
        file: file, index: RemuxFile.item(.index), bytes: bytes.count, tiles: sheet.tiles,
        columns: sheet.columns, tileWidth: sheet.tileWidth, tileHeight: sheet.tileHeight,
        intervalSeconds: sheet.interval)
    )
  }
}
