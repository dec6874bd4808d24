import EventLoop

/// One who waits for an answer, and on which loop it is to be told.
struct EdgeWaiter: Sendable {
  /// Of its loop; nil where it may be called from any thread.
  let mailbox: LoopMailbox?
  /// Called there, once.
  let take: @Sendable (EdgeAnswer) -> Void

  /// The same for all who are told on one loop.
  var place: ObjectIdentifier? { mailbox.map { ObjectIdentifier($0) } }

  /// Tells it, from any thread.
  func tell(_ answer: EdgeAnswer) {
    guard let mailbox else { return take(answer) }
    mailbox.submit { _ in take(answer) }
  }

  /// Tells all of them, from any thread, by one mail.
  ///
  /// With a mail for each, their loop would begin with the first, and its thread would share a lock
  /// and the cores with this one until the last has been put in.
  ///
  /// - Parameters:
  ///   - waiters: all of one place.
  ///   - answer: of all of them.
  static func tell(_ waiters: [EdgeWaiter], _ answer: EdgeAnswer) {
    guard let mailbox = waiters.first?.mailbox else {
      for waiter in waiters { waiter.take(answer) }
      return
    }
    mailbox.submit { _ in for waiter in waiters { waiter.take(answer) } }
  }
}
