/// As `{wedding}/{camera}`; what names no stream can't be decoded.
extension StreamKey: Codable {
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    let names = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard names.count == 2, let key = StreamKey(wedding: names[0], camera: names[1]) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(text) names no stream"))
    }
    self = key
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
