/// What a node does.
package enum NodeRole: String, Sendable, CaseIterable {
  case standalone, origin, edge

  /// Whether streams can be placed on it.
  package var holdsStreams: Bool { self != .edge }
}

/// How far a node's life has come.
package enum NodeState: String, Sendable, CaseIterable {
  /// It gets nothing yet.
  case starting
  case ready
  /// It goes on with what it has and gets nothing new.
  case draining
}
