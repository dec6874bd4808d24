/// The name of the key that a segment is encrypted with; the key itself is not here.
package struct SegmentKey: Sendable, Hashable {
  /// Where viewers get it, without a query, such as `/api/streams/keys/{wedding}/{id}.key`.
  package let uri: String
  /// The vector, where it isn't the segment's number: that of another playlist that shares its
  /// bytes.
  package let vector: Int?

  package init(uri: String, vector: Int? = nil) {
    self.uri = uri
    self.vector = vector
  }
}
