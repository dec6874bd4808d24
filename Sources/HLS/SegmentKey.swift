/// The name of the key that a segment is encrypted with; the key itself is not here.
package struct SegmentKey: Sendable, Hashable {
  /// Where viewers get it, without a query, such as `/api/streams/keys/{wedding}/{id}.key`.
  package let uri: String

  package init(uri: String) { self.uri = uri }
}
