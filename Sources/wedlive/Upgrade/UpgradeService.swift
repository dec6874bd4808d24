import EventLoop
import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import TLS
import UnixSignals

/// Hears SIGUSR2: starts the program anew and leaves the node to it, or goes on where it won't run.
struct UpgradeService: Service {
  /// SIGUSR2, from before the node says that it is ready.
  let signals: UnixSignalsSequence
  let frame: NodeFrame
  let listeners: NodeListeners
  let folder: DataFolder
  let succession: Succession
  /// How long a new process may take until it accepts connections.
  let patience: Duration
  /// Takes no more connections, and lets go of what one process alone may have.
  let release: @Sendable () async -> Void
  /// Opens the door to the streams that stay here; nil where none do.
  var openDoor: (@Sendable () async -> [UpgradeMessage.Door])?
  /// Told once the new process has all of it.
  let orders: AsyncStream<DrainOrder>.Continuation

  private var logger: Logger { frame.logger }

  func run() async throws {
    for await _ in signals.cancelOnGracefulShutdown() {
      if await upgrade() { break }
    }
    // Whoever is replaced has no second successor.
    try? await gracefulShutdown()
  }

  /// Tries it.
  ///
  /// - Returns: whether another process is the node now.
  private func upgrade() async -> Bool {
    if getpid() == 1 {
      logger.error(
        """
        not upgraded: this is the first process of its container, which ends with it; replace the \
        container
        """)
      return false
    }
    let successor: Successor
    let link: UpgradeLink
    do throws(StartFailure) {
      let (own, other) = try UpgradeLink.pair()
      defer { close(other) }
      link = UpgradeLink(owning: own, on: frame.loops.mailboxes[0])
      do throws(StartFailure) {
        successor = try Successor.start(inheritance(link: other))
      } catch {
        link.close()
        throw error
      }
    } catch {
      logger.error("not upgraded; this process goes on", metadata: ["error": "\(error)"])
      return false
    }
    logger.notice(
      "upgrade begun",
      metadata: ["program": "\(successor.path)", "process": "\(successor.process)"])
    var bequest = UpgradeMessage(.bequest)
    bequest.tickets = frame.https.ticketKeys.keys.map(\.bytes)
    bequest.doors = await openDoor?()
    link.send(bequest)
    guard await link.next(.ready, within: patience) != nil else {
      let hasEnded = link.hasEnded
      let end = await Task.detached { successor.reap(killing: true) }.value
      link.close()
      logger.error(
        "not upgraded; this process goes on",
        metadata: [
          "program": "\(successor.path)",
          "error": hasEnded
            ? "the new process has ended with \(end); it says why before this line"
            : "the new process was not ready within \(patience), and was killed",
        ])
      return false
    }
    await release()
    ServiceManager.mainProcess(is: successor.process)
    link.send(UpgradeMessage(.yours))
    logger.notice("upgraded", metadata: ["process": "\(successor.process)"])
    orders.yield(.replaced(by: link))
    return true
  }

  private func inheritance(link: Int32) -> Inheritance {
    var inheritance = Inheritance(link: link, lock: folder.lock)
    inheritance.elders = succession.elders.filter { !$0.hasEnded }.map(\.descriptor)
    for (key, sockets) in listeners.byKey {
      inheritance.places[key] = Inheritance.Place(
        address: "\(sockets.address)", descriptors: sockets.descriptors)
    }
    return inheritance
  }
}
