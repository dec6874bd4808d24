/// A worker that a hostile recording has taken over says what it likes: what it says is held
/// against the files before anybody counts on it.
extension RemuxResult {
  /// Whether all of it could be.
  ///
  /// - Parameter bytes: how long the file of a name is; nil if there is none.
  /// - Returns: false for ranges outside of their files, and for numbers that no recording has.
  package func isSound(_ bytes: (String) -> Int?) -> Bool {
    guard Self.isTime(durationSeconds),
      (1...RecordingTimeline.maximumMovies).contains(movies.count),
      thumbnails.count <= 100, gaps.count <= 10_000, leftOut.count <= 1_000,
      leftOut.allSatisfy({ $0.utf8.count <= 300 && $0.utf8.allSatisfy { $0 >= 0x20 } })
    else { return false }
    for (index, movie) in movies.enumerated() {
      guard Self.isTime(movie.durationSeconds), bytes(movie.file) == movie.bytes, movie.bytes > 0,
        movies[..<index].allSatisfy({ $0.file != movie.file }),
        movie.playback.map({ $0.isSound(bytes) }) ?? true, movie.video.map(\.isSound) ?? true,
        movie.audio.map(\.isSound) ?? true
      else { return false }
    }
    for thumbnail in thumbnails {
      guard Self.isTime(thumbnail.at), bytes(thumbnail.file) == thumbnail.bytes,
        Self.isSide(thumbnail.width), Self.isSide(thumbnail.height)
      else { return false }
    }
    guard gaps.allSatisfy({ Self.isTime($0.at) && Self.isTime($0.seconds ?? 0) }) else {
      return false
    }
    return sprite.map { $0.isSound(bytes) } ?? true
  }

  /// Within three years, in seconds.
  fileprivate static func isTime(_ seconds: Double) -> Bool { (0...1e8).contains(seconds) }

  /// What may stand between quotes in a playlist.
  fileprivate static func isName(_ text: String) -> Bool {
    text.utf8.count < 64
      && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x2C }
  }

  fileprivate static func isSide(_ pixels: Int) -> Bool { (1...65_536).contains(pixels) }
}

extension RemuxResult.Playback {
  fileprivate func isSound(_ bytes: (String) -> Int?) -> Bool {
    guard bytes(file) == self.bytes, (1...self.bytes).contains(headerBytes) else { return false }
    var offset = headerBytes
    for segment in segments {
      guard segment.offset == offset, segment.bytes > 0, segment.bytes <= self.bytes - offset,
        RemuxResult.isTime(segment.seconds)
      else { return false }
      offset += segment.bytes
    }
    return true
  }
}

extension RemuxResult.Video {
  fileprivate var isSound: Bool {
    RemuxResult.isSide(width) && RemuxResult.isSide(height) && (0...1e6).contains(frameRate)
      && frames >= 0 && bitrate >= 0 && RemuxResult.isName(codec)
      && RemuxResult.isName(codecString)
  }
}

extension RemuxResult.Audio {
  fileprivate var isSound: Bool {
    (1...1_000_000).contains(sampleRate) && (1...256).contains(channels) && bitrate >= 0
      && RemuxResult.isName(codec) && RemuxResult.isName(codecString)
  }
}

extension RemuxResult.Sprite {
  fileprivate func isSound(_ bytes: (String) -> Int?) -> Bool {
    bytes(file) == self.bytes && bytes(index) != nil && (1...10_000).contains(tiles)
      && (1...1_000).contains(columns) && RemuxResult.isSide(tileWidth)
      && RemuxResult.isSide(tileHeight) && RemuxResult.isTime(intervalSeconds)
  }
}
