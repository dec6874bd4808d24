package import Media

/// What a master playlist says about one variant: measured, not configured.
package struct VariantInfo: Sendable, Equatable, Codable {
  /// Bits per second of the heaviest segment.
  package var bandwidth: Int
  package var averageBandwidth: Int
  /// RFC 6381 names, video first.
  package var codecs: [String]
  package var size: PictureSize?
  package var frameRate: Double?

  package init(
    bandwidth: Int, averageBandwidth: Int, codecs: [String], size: PictureSize?, frameRate: Double?
  ) {
    self.bandwidth = bandwidth
    self.averageBandwidth = averageBandwidth
    self.codecs = codecs
    self.size = size
    self.frameRate = frameRate
  }
}

/// A master playlist: the renditions of a stream.
///
/// Source: RFC 8216, 4.3.4.2.
package struct MasterPlaylist: Sendable {
  /// One rendition: where its media playlist is, and what it needs.
  package struct Variant: Sendable, Equatable, Codable {
    package var uri: String
    package var info: VariantInfo

    package init(uri: String, info: VariantInfo) {
      self.uri = uri
      self.info = info
    }
  }

  package let text: PlaylistText

  /// Renders the variants in the order given: players start with the first.
  package init(_ variants: [Variant]) {
    var writer = PlaylistWriter()
    writer.line("#EXT-X-VERSION:6")
    for variant in variants {
      let info = variant.info
      var line = "#EXT-X-STREAM-INF:BANDWIDTH=\(max(1, info.bandwidth))"
      line += ",AVERAGE-BANDWIDTH=\(max(1, min(info.averageBandwidth, info.bandwidth)))"
      if !info.codecs.isEmpty { line += ",CODECS=\"\(info.codecs.joined(separator: ","))\"" }
      if let size = info.size { line += ",RESOLUTION=\(size.width)x\(size.height)" }
      if let rate = info.frameRate { line += ",FRAME-RATE=\(Self.threeDecimals(rate))" }
      writer.line(line)
      writer.uri(variant.uri)
    }
    text = PlaylistText(writer)
  }

  private static func threeDecimals(_ value: Double) -> String {
    MediaPlaylist.seconds(MediaTime(milliseconds: Int64((value * 1_000).rounded())))
  }
}
