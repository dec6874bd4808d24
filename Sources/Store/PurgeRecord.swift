/// Something that caches must not serve any more, on its way to them.
package struct PurgeRecord: Equatable, Sendable {
  /// Its place among all; 0 before it is kept.
  package var id: Int64
  /// When it was asked for, in milliseconds since 1970.
  package var queued: Int64
  package var wedding: String
  /// `tag`, `path` or `prefix`.
  package var kind: String
  package var what: String
  package var isSoft: Bool
  package var reason: String

  package init(
    id: Int64 = 0, queued: Int64, wedding: String, kind: String, what: String, isSoft: Bool,
    reason: String
  ) {
    self.id = id
    self.queued = queued
    self.wedding = wedding
    self.kind = kind
    self.what = what
    self.isSoft = isSoft
    self.reason = reason
  }
}

/// How purges fared, for people.
package struct PurgeCounts: Equatable, Sendable {
  /// Waiting now, and since when the oldest has, in milliseconds since 1970.
  package var waiting = 0
  package var oldest: Int64?
  /// Done and given up, ever.
  package var sent = 0
  package var failed = 0
  /// What the last failure was, and when.
  package var error: String?
  package var errorTime: Int64?

  package init() {}
}
