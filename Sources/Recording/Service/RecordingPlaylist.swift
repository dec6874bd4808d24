package import HLS
import Transcode

/// The media playlist of a finished recording: byte ranges of its fragmented movies.
///
/// It stands beside them in the storage, with relative addresses, so that it plays from wherever
/// the files are served.
package enum RecordingPlaylist {
  package static let file = "index.m3u8"

  /// Writes the playlist; nil where there is nothing to play.
  ///
  /// - Note: Source: RFC 8216, 4.3.2.2 (byte ranges), 4.3.2.5 (MAP).
  static func text(_ movies: [RemuxResult.Movie]) -> String? {
    let playbacks = movies.compactMap(\.playback).filter { !$0.segments.isEmpty }
    guard let longest = playbacks.flatMap(\.segments).map(\.seconds).max() else { return nil }
    var lines = [
      "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:\(Int(longest.rounded(.up)))",
      "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    for (index, playback) in playbacks.enumerated() {
      if index > 0 { lines.append("#EXT-X-DISCONTINUITY") }
      lines.append("#EXT-X-MAP:URI=\"\(playback.file)\",BYTERANGE=\"\(playback.headerBytes)@0\"")
      for segment in playback.segments {
        lines.append("#EXTINF:\(seconds(segment.seconds)),")
        lines.append("#EXT-X-BYTERANGE:\(segment.bytes)@\(segment.offset)")
        lines.append(playback.file)
      }
    }
    lines.append("#EXT-X-ENDLIST")
    return lines.joined(separator: "\n") + "\n"
  }

  private static let map = Array("#EXT-X-MAP:URI=\"".utf8)

  /// A playlist of ours, ready to carry a viewer's query on each address.
  package static func addressed(_ bytes: [UInt8]) -> AddressedText {
    var ends: [Int] = []
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      let line = bytes[start..<end]
      if line.starts(with: map) {
        let quote = line.dropFirst(map.count).firstIndex(of: UInt8(ascii: "\""))
        if let quote { ends.append(quote) }
      } else if let first = line.first, first != UInt8(ascii: "#") {
        ends.append(end)
      }
      start = end + 1
    }
    return AddressedText(bytes, addressEnds: ends)
  }

  private static let picture = Array(".jpg#".utf8)

  /// A WebVTT index of small pictures, ready to carry a viewer's query on each address.
  package static func addressedPictures(_ bytes: [UInt8]) -> AddressedText {
    let ends = bytes.indices.filter {
      bytes[$0] == picture.last && bytes[...$0].suffix(picture.count).elementsEqual(picture)
    }
    return AddressedText(bytes, addressEnds: ends)
  }

  private static func seconds(_ value: Double) -> String {
    let milliseconds = Int((value * 1_000).rounded())
    let rest = "\(milliseconds % 1_000)"
    return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }
}
