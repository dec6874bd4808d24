import Foundation
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

  /// The playlist with a query on each address.
  ///
  /// - Parameters:
  ///   - text: as it is kept.
  ///   - query: without the `?`, such as `token=…`.
  /// - Returns: the playlist for somebody who needs that.
  package static func text(_ text: String, withQuery query: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      if line.hasPrefix("#EXT-X-MAP:URI=\""), let end = line.range(of: "\",BYTERANGE") {
        return line[..<end.lowerBound] + "?\(query)" + line[end.lowerBound...]
      }
      return line.isEmpty || line.hasPrefix("#") ? line : line + "?\(query)"
    }.joined(separator: "\n")
  }

  /// A WebVTT index of small pictures with a query on each address.
  ///
  /// - Parameters:
  ///   - text: as it is kept.
  ///   - query: without the `?`.
  /// - Returns: the index for somebody who needs that.
  package static func pictures(_ text: String, withQuery query: String) -> String {
    text.replacingOccurrences(of: ".jpg#", with: ".jpg?\(query)#")
  }

  private static func seconds(_ value: Double) -> String {
    let milliseconds = Int((value * 1_000).rounded())
    let rest = "\(milliseconds % 1_000)"
    return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }
}
