import CCurl
import Foundation
import Synchronization

/// The thread that owns libcurl's multi handle and all transfers.
///
/// Others reach it through a mailbox and `curl_multi_wakeup`, which libcurl allows from any thread.
/// The multi handle is freed by the thread itself, after the mailbox says that nobody will wake it.
@safe final class TransferEngine: Sendable {
  private struct Mailbox {
    var incoming: [Transfer] = []
    var cancelled: Set<UInt64> = []
    /// Streams that go on.
    var resumed: Set<UInt64> = []
    var isClosed = false
  }

  private static let initialised = wl_curl_global_init()
  // The engine's thread alone uses it, but for the wake-up, which libcurl lets any thread make.
  private nonisolated(unsafe) let multi: UnsafeMutableRawPointer
  private let configuration: HTTPClientConfiguration
  private let mailbox = Mutex(Mailbox())

  private init(_ configuration: HTTPClientConfiguration) throws(HTTPClientError) {
    guard TransferEngine.initialised == CURLE_OK, let multi = unsafe curl_multi_init() else {
      throw HTTPClientError(.internalFailure, "libcurl does not start")
    }
    unsafe self.multi = multi
    self.configuration = configuration
    unsafe wl_curl_multi_set_long(
      multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxPerHost)
    unsafe wl_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.maxConcurrent)
  }

  static func start(
    _ configuration: HTTPClientConfiguration
  ) throws(HTTPClientError) -> TransferEngine {
    let engine = try TransferEngine(configuration)
    let thread = Thread {
      // Before it runs there is nothing yet that could have a name for the kernel.
      Thread.current.name = "wedlive-http"
      engine.run()
    }
    thread.start()
    return engine
  }

  /// Hands a transfer over; it ends by its completion, whatever happens.
  func submit(_ transfer: Transfer) {
    let isOpen = mailbox.withLock { mailbox in
      if mailbox.isClosed { return false }
      mailbox.incoming.append(transfer)
      unsafe curl_multi_wakeup(multi)
      return true
    }
    if !isOpen { transfer.fail(HTTPClientError(.closed, "the client is closed")) }
  }

  /// Ends a transfer that may be under way, waiting, or not handed over yet.
  func cancel(_ id: UInt64) {
    mailbox.withLock { mailbox in
      if mailbox.isClosed { return }
      mailbox.cancelled.insert(id)
      unsafe curl_multi_wakeup(multi)
    }
  }

  /// Has a stream go on whose receiver wanted no more for a while.
  func resume(_ id: UInt64) {
    mailbox.withLock { mailbox in
      if mailbox.isClosed { return }
      mailbox.resumed.insert(id)
      unsafe curl_multi_wakeup(multi)
    }
  }

  /// Forgets a cancellation that came too late; the transfer has ended.
  func forget(_ id: UInt64) {
    mailbox.withLock { _ = $0.cancelled.remove(id) }
  }

  /// Ends everything and the thread; does not wait for it.
  func close() {
    mailbox.withLock { mailbox in
      if mailbox.isClosed { return }
      mailbox.isClosed = true
      unsafe curl_multi_wakeup(multi)
    }
  }

  /// The thread's body.
  private func run() {
    var waiting: [Transfer] = []
    var active: [UInt: Transfer] = [:]
    let turn = TransferTurn()
    while true {
      let (incoming, cancelled, resumed, isClosed) = mailbox.withLock { mailbox in
        defer {
          mailbox.incoming = []
          mailbox.resumed = []
        }
        return (mailbox.incoming, mailbox.cancelled, mailbox.resumed, mailbox.isClosed)
      }
      for transfer in incoming {
        if waiting.count >= configuration.maxWaiting {
          transfer.fail(HTTPClientError(.overloaded, "\(waiting.count) requests wait already"))
        } else {
          waiting.append(transfer)
        }
      }
      let ends = isClosed ? HTTPClientError(.closed, "the client is closed") : nil
      if ends != nil || !cancelled.isEmpty {
        let error = ends ?? HTTPClientError(.cancelled, "the caller no longer waits")
        end(&waiting, &active, error) { isClosed || cancelled.contains($0.id) }
      }
      if isClosed { break }
      if !resumed.isEmpty {
        for transfer in active.values where resumed.contains(transfer.id) { transfer.resume() }
      }
      begin(&waiting, &active, turn)
      var running: Int32 = 0
      unsafe curl_multi_perform(multi, &running)
      turn.end()
      reap(&active)
      // Only now: what has come while this thread had no turn is no silence.
      endSilent(&waiting, &active)
      if waiting.isEmpty || active.count >= configuration.maxConcurrent {
        unsafe curl_multi_poll(multi, nil, 0, patience(waiting, active), nil)
      }
    }
    // Nobody wakes the handle now: `isClosed` was seen, and every wake-up looks at it first.
    unsafe curl_multi_cleanup(multi)
  }

  /// Starts waiting transfers in order while there is room, and ends those whose time is over.
  private func begin(
    _ waiting: inout [Transfer], _ active: inout [UInt: Transfer], _ turn: TransferTurn
  ) {
    let now = ContinuousClock.now
    var rest: [Transfer] = []
    for transfer in waiting {
      if active.count >= configuration.maxConcurrent, transfer.limits.deadline > now {
        rest.append(transfer)
        continue
      }
      do throws(HTTPClientError) {
        active[unsafe try transfer.attach(to: multi, configuration, turn)] = transfer
      } catch {
        transfer.fail(error)
      }
    }
    waiting = rest
  }

  private func reap(_ active: inout [UInt: Transfer]) {
    var result = CURLE_OK
    while let easy = unsafe wl_curl_multi_finished(multi, &result) {
      guard let transfer = active.removeValue(forKey: UInt(bitPattern: easy)) else { continue }
      unsafe transfer.detach(from: multi)
      transfer.finish(result)
    }
  }

  private func end(
    _ waiting: inout [Transfer], _ active: inout [UInt: Transfer],
    _ error: HTTPClientError, where isMeant: (Transfer) -> Bool
  ) {
    for transfer in waiting where isMeant(transfer) { transfer.fail(error) }
    waiting.removeAll(where: isMeant)
    for (easy, transfer) in active where isMeant(transfer) {
      unsafe transfer.detach(from: multi)
      active[easy] = nil
      transfer.fail(error)
    }
  }

  /// Ends streams of which nothing has come for too long; libcurl knows no such deadline.
  private func endSilent(_ waiting: inout [Transfer], _ active: inout [UInt: Transfer]) {
    let now = ContinuousClock.now
    func isLate(_ transfer: Transfer) -> Bool {
      transfer.silenceDeadline.map { $0 <= now } ?? false
    }
    for transfer in waiting where isLate(transfer) { transfer.fail(transfer.silence) }
    waiting.removeAll(where: isLate)
    for (easy, transfer) in active where isLate(transfer) {
      unsafe transfer.detach(from: multi)
      active[easy] = nil
      transfer.fail(transfer.silence)
    }
  }

  /// How long to sleep, in milliseconds: libcurl knows its own timers, not our queue's.
  private func patience(_ waiting: [Transfer], _ active: [UInt: Transfer]) -> Int32 {
    let deadlines =
      waiting.lazy.map(\.limits.deadline) + active.values.lazy.compactMap(\.silenceDeadline)
    guard let first = deadlines.min() else { return 60_000 }
    let left = first - ContinuousClock.now
    if left <= .zero { return 0 }
    return left > .seconds(60) ? 60_000 : Int32(left / .milliseconds(1)) + 1
  }
}
