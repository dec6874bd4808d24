import Synchronization

/// The right of this node to publish a stream, until it is lost or released.
///
/// Whoever sees a smaller epoch than it has seen before refuses it.
package final class Lease: Sendable {
  package let stream: StreamID
  /// How far the stream had come under its last holder; nil where it is new.
  package let inherited: StreamHead?
  /// Who held it before; nil where nobody did, or it was this node.
  package let previousOwner: NodeID?
  private let number: Atomic<Int64>
  private let rank: Atomic<Int>
  private let held = Atomic(true)
  private let provisional: Atomic<Bool>
  private let onAir = Atomic(false)
  private let content = Mutex(Content())

  private struct Content {
    var head: StreamHead?
    /// Whether the head is yet to be written.
    var isPending = false
    var onLoss: (@Sendable (LeaseLoss) -> Void)?
  }

  init(
    _ stream: StreamID, epoch: Int64, inherited: StreamHead?, previousOwner: NodeID?,
    priority: Int, isProvisional: Bool, onLoss: @escaping @Sendable (LeaseLoss) -> Void
  ) {
    self.stream = stream
    self.inherited = inherited
    self.previousOwner = previousOwner
    rank = Atomic(priority)
    number = Atomic(epoch)
    provisional = Atomic(isProvisional)
    content.withLock { $0.onLoss = onLoss }
  }

  /// The number of this holder; it grows where a provisional lease is settled, when Redis is back,
  /// and where another has had the stream meanwhile.
  package var epoch: Int64 { number.load(ordering: .acquiring) }

  /// That of the publisher whose stream it is.
  var priority: Int { rank.load(ordering: .acquiring) }

  /// - Returns: false where it was so before.
  func set(priority: Int) -> Bool {
    rank.exchange(priority, ordering: .acquiringAndReleasing) != priority
  }

  /// Whether a publisher was admitted under it, so that its end is to be told one day.
  var isOnAir: Bool { onAir.load(ordering: .acquiring) }

  /// - Returns: false where it was so before.
  func goOnAir() -> Bool { !onAir.exchange(true, ordering: .acquiringAndReleasing) }

  /// Whether this node may publish; safe to ask for each segment.
  package var isHeld: Bool { held.load(ordering: .acquiring) }

  /// Whether it was taken while Redis could not be asked.
  package var isProvisional: Bool { provisional.load(ordering: .acquiring) }

  /// Puts it behind another's that had the stream meanwhile, of which Redis could say nothing.
  ///
  /// - Parameters:
  ///   - epoch: the other's.
  ///   - isAnothers: whether it can't have been this one, where both are the same.
  /// - Returns: false for an epoch that nobody can have had, or one that is older than this.
  @discardableResult
  package func pass(over epoch: Int64, isAnothers: Bool = false) -> Bool {
    guard Epoch.isValid(epoch), Epoch.isValid(epoch + 1),
      epoch > self.epoch || isAnothers && epoch == self.epoch
    else { return false }
    number.max(epoch + 1, ordering: .releasing)
    provisional.store(true, ordering: .releasing)
    return true
  }

  /// Redis has it under an epoch.
  func confirm(_ epoch: Int64) {
    number.max(epoch, ordering: .acquiringAndReleasing)
    provisional.store(false, ordering: .sequentiallyConsistent)
    // What Redis was asked before another's was heard of says nothing of what it is now.
    if self.epoch != epoch { provisional.store(true, ordering: .releasing) }
  }

  /// Remembers a head until it is written; an older one than is remembered changes nothing.
  func remember(_ head: StreamHead) {
    content.withLock { content in
      if let known = content.head, known.sequence > head.sequence { return }
      content.head = head
      content.isPending = true
    }
  }

  /// The head that is yet to be written, or that is known where all must be written again.
  func head(all: Bool) -> StreamHead? {
    content.withLock { $0.isPending || all ? $0.head : nil }
  }

  func written(_ head: StreamHead) {
    content.withLock { if $0.head == head { $0.isPending = false } }
  }

  /// Ends it.
  ///
  /// - Returns: false where it had ended before.
  func end() -> Bool { held.exchange(false, ordering: .acquiringAndReleasing) }

  /// Ends it and tells whose it is now, once.
  func lose(_ loss: LeaseLoss) -> Bool {
    guard end() else { return false }
    let tell = content.withLock { content in
      defer { content.onLoss = nil }
      return content.onLoss
    }
    tell?(loss)
    return true
  }
}

/// Who has a stream now that this node held.
package struct LeaseLoss: Equatable, Sendable {
  package let stream: StreamID
  package let owner: NodeID
  package let epoch: Int64

  package init(stream: StreamID, owner: NodeID, epoch: Int64) {
    self.stream = stream
    self.owner = owner
    self.epoch = epoch
  }
}
