#if canImport(Glibc)
  import Glibc
#endif

/// What a remux worker tells its parent; nothing is said more often than it is read.
final class RemuxVoice {
  private let descriptor: CInt
  private var reached = 0.0
  private var lastBeat = Duration.zero
  private static let pause = Duration.milliseconds(250)

  init(descriptor: CInt) { self.descriptor = descriptor }

  /// Says a message; a parent that is gone ends the process by itself.
  func say(_ message: RemuxMessage) {
    var bytes: [UInt8] = []
    message.append(to: &bytes)
    _ = WorkerSocket.write(bytes, to: descriptor)
  }

  /// Says how much is done, 0...1.
  func reach(_ part: Double) {
    reached = max(reached, min(1, part))
    beat()
  }

  /// Says that work goes on.
  func beat() {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let now = Duration.seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    guard now - lastBeat >= Self.pause else { return }
    lastBeat = now
    say(.progress(Int(reached * 1_000)))
  }
}
