import Cluster
import Dispatch
import EventLoop
import Logging
import ServiceLifecycle
import TLS
import Telemetry
import UnixSignals

/// Watches the certificate's files and SIGHUP; a new one is used from the next connection on.
///
/// It also renews the keys that session tickets are sealed with.
struct CertificateService: Service {
  /// How often the files are looked at.
  private static let interval = Duration.seconds(10)

  let node: NodeFrame
  /// What tickets are sealed with on all nodes of a cluster; nil where there is none.
  var shared: SharedSecrets?
  /// What the process before this one sealed them with; nil where there was none.
  var inherited: TicketKeys?

  func run() async throws {
    await withTaskGroup { group in
      group.addTask { await watchFiles() }
      group.addTask { await watchSignal() }
      group.addTask { await renewTicketKeys() }
      await group.waitForAll()
    }
  }

  private func watchFiles() async {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) } } catch
      { return }
      report(await read { [node] in node.sources.map { $0.reloadIfChanged() } })
    }
  }

  private func watchSignal() async {
    let signals = await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown()
    for await _ in signals {
      report(await read { [node] in node.sources.map { $0.reload() } })
    }
  }

  /// Reads files on a thread of its own: a disk that stalls holds up none of those that all tasks
  /// share.
  private func read(
    _ files: @escaping @Sendable () -> [TLSContextSource.Outcome]
  ) async -> [TLSContextSource.Outcome] {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: files()) }
    }
  }

  /// A new ticket key each quarter of a day; a ticket is good for a day.
  ///
  /// In a cluster all nodes have the same ones. Where Redis can't be asked they go on with those
  /// that they had last; before the first, each has its own.
  private func renewTicketKeys() async {
    let start = Int(MonotonicTime.now.nanoseconds / 1_000_000_000)
    var schedule =
      inherited.map { TicketKeySchedule(after: $0, now: start) } ?? TicketKeySchedule()
    var isShared = false
    var trouble = shared?.trouble
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let now = Int(MonotonicTime.now.nanoseconds / 1_000_000_000)
      var wait = Duration.seconds(max(1, schedule.wait(now: now)))
      if let shared {
        let found = await sharedKeys(shared, &trouble)
        isShared = isShared || found
        wait = .seconds(found ? 60 : 5)
      }
      if !isShared, schedule.rotate(now: now) { node.use(schedule.keys) }
      let pause = wait
      do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) } } catch {
        return
      }
    }
  }

  /// Takes the cluster's keys of now; false where they can't be had.
  private func sharedKeys(
    _ shared: SharedSecrets, _ trouble: inout RedisTrouble?
  ) async -> Bool {
    do throws(ClusterError) {
      let moment = try await shared.moment(at: LogTime.now.milliseconds / 1_000)
      let keys = TicketKeys(moment.secrets.compactMap { TicketKey(bytes: $0) })
      if node.https.ticketKeys != keys { node.use(keys) }
      trouble?.isOver()
      return true
    } catch {
      if let level = trouble?.level(for: "\(error)") {
        node.logger.log(
          level: level, "ticket keys not shared", metadata: ["error": "\(error)"])
      }
      return false
    }
  }

  private func report(_ outcomes: [TLSContextSource.Outcome]) {
    // Both ports have the same files, and fail in the same words.
    var told: TLSError?
    for case .failed(let error) in outcomes where error != told {
      node.logger.error(
        "certificate not replaced", metadata: ["error": "\(error)", "in_use": "the old one"])
      told = error
    }
    guard outcomes.contains(.replaced) else { return }
    node.useCertificate()
    node.logger.notice("certificate replaced")
  }
}
