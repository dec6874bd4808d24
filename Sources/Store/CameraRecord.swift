/// One camera of a wedding, as it is kept.
package struct CameraRecord: Sendable, Equatable {
  package var wedding: String
  /// In addresses and tokens; unique in its wedding.
  package var id: String
  /// For people.
  package var name: String
  /// Of those that are live, the one with the highest number follows one that is lost.
  package var priority: Int
  /// The plan that it was added under; nil where none was named.
  package var plan: String?
  /// When it was added, in milliseconds since 1970.
  package var created: Int64
  /// When it was last seen to begin or end, in milliseconds since 1970; nil where it never was
  /// live.
  package var lastLive: Int64?

  package init(
    wedding: String, id: String, name: String, priority: Int = 0, plan: String? = nil,
    created: Int64, lastLive: Int64? = nil
  ) {
    self.wedding = wedding
    self.id = id
    self.name = name
    self.priority = priority
    self.plan = plan
    self.created = created
    self.lastLive = lastLive
  }
}

/// A camera that was taken away: stream keys that were made for it open nothing any more.
package struct RemovedCamera: Sendable, Equatable {
  package var wedding: String
  package var id: String
  /// When, in milliseconds since 1970.
  package var removed: Int64

  package init(wedding: String, id: String, removed: Int64) {
    self.wedding = wedding
    self.id = id
    self.removed = removed
  }
}

/// A wedding whose program can follow several cameras.
package struct ProgramRecord: Sendable, Equatable {
  package var wedding: String
  /// The camera that it is to show; nil where nobody has said so.
  package var camera: String?
  /// When that was written last, in milliseconds since 1970.
  package var updated: Int64

  package init(wedding: String, camera: String?, updated: Int64) {
    self.wedding = wedding
    self.camera = camera
    self.updated = updated
  }
}
