/// Why what a publisher sends can't be used.
package struct StreamRefusal: Equatable, Sendable {
  /// For the publisher.
  package let words: String
  /// Whether it is a codec or a codec's header, of which every node says the same.
  package let isOfCodec: Bool
}
