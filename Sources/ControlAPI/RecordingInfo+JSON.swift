import Foundation

extension RecordingInfo {
  /// As it is told to other nodes.
  ///
  /// - Parameter limit: how long it may be, in bytes; lists are left out where it would be longer.
  /// - Returns: an object with keys in snake_case.
  package func json(atMost limit: Int) -> String {
    var info = self
    // Who has it says these two; how far a step has come would be old when it is read.
    info.reachable = nil
    info.node = nil
    info.progress = nil
    for shorten in Self.shortenings {
      let text = info.text
      if text.utf8.count <= limit { return text }
      shorten(&info)
    }
    return info.text
  }

  /// What may be missing where there is too much of it, in this order.
  private static let shortenings: [@Sendable (inout RecordingInfo) -> Void] = [
    { $0.leftOut = nil }, { $0.gaps = [] }, { $0.thumbnails = [] },
    {
      $0.reason = nil
      $0.error = nil
    },
  ]

  private var text: String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Our own plain struct can't fail to be encoded, but for a number that is none.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// Reads what another node has told; nil where that is another version's.
  package init?(json text: String) {
    self.init(json: Array(text.utf8))
  }

  init?(json bytes: [UInt8]) {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let info = try? decoder.decode(RecordingInfo.self, from: Data(bytes)) else { return nil }
    self = info
  }
}
