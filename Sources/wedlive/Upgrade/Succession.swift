import EventLoop
import Logging

/// The processes of this node before and after this one.
struct Succession: Sendable {
  /// How long the process before may take to let go.
  private static let patience = Duration.seconds(15)

  /// To the process that this one takes over from; nil where it was started by itself.
  let before: UpgradeLink?
  /// To those that may still have publishers: the one before, and those before that.
  let elders: [UpgradeLink]
  private let logger: Logger

  init(_ inheritance: Inheritance?, _ frame: NodeFrame) {
    let mailbox = frame.loops.mailboxes[0]
    before = inheritance.map { UpgradeLink(owning: $0.link, on: mailbox) }
    elders =
      (before.map { [$0] } ?? [])
      + (inheritance?.elders ?? []).map { UpgradeLink(owning: $0, on: mailbox) }
    logger = frame.logger
  }

  /// Whether another process of this node is there and has what was its own.
  var hasElders: Bool { !elders.isEmpty }

  /// Takes what the process before says at once.
  ///
  /// - Returns: nil where there is none before.
  /// - Throws: `StartFailure` where it is gone, or speaks another language.
  func bequest() async throws(StartFailure) -> UpgradeMessage? {
    guard let before else { return nil }
    guard let message = await before.next(.bequest, within: Self.patience) else {
      throw StartFailure("\(Inheritance.variable): the process before this one says nothing")
    }
    guard message.version == UpgradeMessage.version else {
      throw StartFailure(
        "\(Inheritance.variable): the process before this one is of another version; stop it and"
          + " start this one")
    }
    return message
  }

  /// Says that this process accepts connections, and returns when the one before has let go of all
  /// that one alone may have.
  func takeOver() async {
    guard let before else { return }
    before.send(UpgradeMessage(.ready))
    if await before.next(.yours, within: Self.patience) == nil {
      logger.warning(
        "the process before this one has not said that it lets go",
        metadata: ["waited": "\(Self.patience)"])
    }
  }

  /// Whether a door's process has ended.
  func isGone(_ door: UpgradeMessage.Door) -> Bool {
    !elders.contains { $0.isAlive(behind: door) }
  }

  /// Returns when no process before this one is left, or the task is cancelled.
  func alone() async {
    for elder in elders { await elder.end() }
  }
}
