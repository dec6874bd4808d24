extension RecordingInfo {
  /// Gives what a node keeps of it the addresses by which viewers find that.
  ///
  /// - Parameter web: `https://host`, without a slash at the end.
  /// - Returns: the same but for those; what is at a storage stays there.
  func found(at web: String) -> RecordingInfo {
    let folder = "/hls/\(weddingId)/recordings/\(recordingId)/"
    // The node that keeps it has told its own address.
    guard let playback = playbackUrl, let place = Self.place(of: folder, in: playback) else {
      return self
    }
    let kept = playback[..<place]
    func moved(_ address: String) -> String {
      guard address.hasPrefix(kept), address.dropFirst(kept.count).hasPrefix(folder) else {
        return address
      }
      return web + address.dropFirst(kept.count)
    }
    var info = self
    info.playbackUrl = moved(playback)
    info.cdnUrl = cdnUrl.map(moved)
    info.thumbnails = thumbnails.map(moved)
    info.spriteUrl = spriteUrl.map(moved)
    info.spriteIndexUrl = spriteIndexUrl.map(moved)
    return info
  }

  /// Where a folder begins in an address that ends in a file of it.
  private static func place(of folder: String, in address: String) -> String.Index? {
    guard let slash = address.lastIndex(of: "/") else { return nil }
    let base = address[...slash]
    guard base.hasSuffix(folder) else { return nil }
    return base.index(base.endIndex, offsetBy: -folder.count)
  }
}
