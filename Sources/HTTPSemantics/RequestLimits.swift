/// How large the head of a request may be.
package struct RequestLimits: Equatable, Sendable {
  /// The longest request line or `:path`, in bytes.
  package var targetBytes = 8 * 1024
  /// The fields together: names + values, in bytes, with 32 more for each field as HTTP/2 counts.
  package var fieldBytes = 16 * 1024
  /// The most fields; each crumb of a split Cookie counts.
  package var fields = 100

  package init() {}
}
