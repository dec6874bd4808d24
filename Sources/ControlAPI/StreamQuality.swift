/// A quality that a node makes of sources that are large enough for it.
package struct LadderQuality: Equatable, Sendable {
  package var name: String
  /// Of the box that pictures are fitted into, in pixels.
  package var width: Int
  package var height: Int

  package init(name: String, width: Int, height: Int) {
    self.name = name
    self.width = width
    self.height = height
  }

  /// Whether a source would have to be made larger for it.
  ///
  /// - Parameters:
  ///   - width: of the source, in pixels; portrait sources turn the box.
  ///   - height: of the source.
  /// - Returns: false also where the source's size isn't known.
  package func isAbove(width: Int, height: Int) -> Bool {
    width > 0 && height > 0
      && max(width, height) < max(self.width, self.height)
      && min(width, height) < min(self.width, self.height)
  }
}

/// One quality that a stream can be watched in, as the API and the status show it.
package struct StreamQuality: Codable, Equatable, Sendable {
  /// In addresses: `source`, `720p`.
  package var name: String
  /// In pixels; 0 without a picture.
  package var width: Int
  package var height: Int
  /// Frames a second; 0 while unknown.
  package var frameRate: Double
  /// Bits per second: of the heaviest segment, and on average.
  package var bandwidth: Int
  package var averageBandwidth: Int
  /// RFC 6381 names, video first.
  package var codecs: [String]
  /// Whether viewers may have it whose token names no plan.
  package var isOpen: Bool
  /// The plans whose viewers may have it.
  package var plans: [String]

  package init(
    name: String, width: Int, height: Int, frameRate: Double, bandwidth: Int,
    averageBandwidth: Int, codecs: [String], isOpen: Bool, plans: [String]
  ) {
    self.name = name
    self.width = width
    self.height = height
    self.frameRate = frameRate
    self.bandwidth = bandwidth
    self.averageBandwidth = averageBandwidth
    self.codecs = codecs
    self.isOpen = isOpen
    self.plans = plans
  }

  enum CodingKeys: String, CodingKey {
    case name, width, height
    case frameRate = "frame_rate"
    case bandwidth
    case averageBandwidth = "average_bandwidth"
    case codecs
    case isOpen = "open"
    case plans
  }
}
