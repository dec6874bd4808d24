import Synchronization

/// A drain on its way through the worker: it is done when every thread that sends has passed it.
final class LadderDrain: Sendable {
  private let id: UInt32
  private let output: LadderOutput
  /// Threads that have not passed it; the one that splits it up counts until it has done so.
  private let waiting: Mutex<Int>

  /// A drain that goes two ways: with the pictures and with the sound.
  init(_ id: UInt32, output: LadderOutput) {
    self.id = id
    self.output = output
    waiting = Mutex(2)
  }

  /// More threads have to pass it.
  func expect(_ more: Int) { waiting.withLock { $0 += more } }

  /// A thread has sent all that came before.
  func pass() {
    let isDone = waiting.withLock { count in
      count -= 1
      return count == 0
    }
    if isDone { output.send([.drained(id)]) }
  }
}
