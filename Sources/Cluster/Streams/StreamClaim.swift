/// What a node says when it wants a stream.
package struct StreamClaim: Equatable, Sendable {
  /// A publisher with a higher one takes a stream over from a living holder.
  package var priority = 0
  /// The epoch under which this very publisher was held before: its edge goes on elsewhere.
  ///
  /// It wins over the holder of that epoch, for no other has this publisher, and over none that
  /// came later or has a higher priority.
  package var resumes: Int64?
  /// The largest epoch that is known of this stream from elsewhere, as from a directory: the new
  /// one is larger, also where Redis has lost its data.
  package var knownEpoch: Int64?
  /// Whether to go on without Redis where it can't be asked, and to settle it when it is back.
  package var mayBeProvisional = true

  package init(priority: Int = 0, resumes: Int64? = nil, knownEpoch: Int64? = nil) {
    self.priority = priority
    self.resumes = resumes
    self.knownEpoch = knownEpoch
  }

  /// What became of it.
  package enum Outcome: Sendable {
    /// It is this node's.
    case granted(Lease)
    /// Another node has it, and goes on having it; or this one has it already.
    case held(by: NodeID, epoch: Int64)

    /// The lease, where there is one.
    package var lease: Lease? { if case .granted(let lease) = self { lease } else { nil } }
  }

  var isValid: Bool {
    (-1_000_000...1_000_000).contains(priority) && resumes.map(Epoch.isValid) ?? true
      && knownEpoch.map(Epoch.isValid) ?? true
  }

  /// What the new epoch must be larger than.
  var floor: Int64 { max(resumes ?? 0, knownEpoch ?? 0) }
}
