import EventLoop
import Media
import Transcode

/// A transcode worker's socket on a loop: commands go out, events come in.
///
/// Confined to its loop.
final class LadderWorker: Channel {
  /// How many bytes may wait for the worker; one that doesn't take them is of no use any more.
  private static let mostQueued = 128 << 20

  let process: WorkerProcess
  private var reader = LadderMessageReader<LadderEvent>()
  private var outbox: [UInt8] = []
  private var sent = 0
  private var words: String?
  private let onEvent: (LadderEvent) -> Void
  private let onEnd: (_ why: String, WorkerProcess) -> Void
  /// Pictures given since the last one that came, and when the first of them was: sound may go on
  /// where pictures hang.
  private var owed = 0
  private var owedSince = MonotonicTime.now
  /// Nothing is asked for.
  private var isIdle = false

  /// Takes a worker that was started with a non-blocking descriptor; `loop.add` begins.
  ///
  /// - Parameters:
  ///   - process: becomes the channel's.
  ///   - loop: where it is to live.
  ///   - onEvent: told of each event.
  ///   - onEnd: told once, when the worker is gone without having been closed; it is to be waited
  ///     for.
  /// - Throws: `.system` where the process has no descriptor left.
  init(
    _ process: WorkerProcess, on loop: Loop, onEvent: @escaping (LadderEvent) -> Void,
    onEnd: @escaping (String, WorkerProcess) -> Void
  ) throws(TranscodeError) {
    let own = try process.duplicateDescriptor()
    self.process = process
    self.onEvent = onEvent
    self.onEnd = onEnd
    super.init(Socket(owning: own), on: loop)
  }

  /// How long pictures have been owed for; zero where hardly any are.
  var silence: Duration {
    // As many pictures as encoders hold back to look ahead say nothing.
    owed > 60 ? MonotonicTime.now - owedSince : .zero
  }

  /// Queues a command; it goes out at the end of the turn.
  func send(_ command: LadderCommand) {
    guard !isClosed else { return }
    switch command {
    case .frame(let frame, _) where frame.track == .video && !isIdle:
      if owed == 0 { owedSince = .now }
      owed += 1
    case .wanted(let mask):
      isIdle = mask == 0
      owed = 0
    default: break
    }
    command.append(to: &outbox)
    loop.flushLater(self)
  }

  override func flush() {
    while sent < outbox.count, !isClosed {
      let result = unsafe outbox.withUnsafeBytes {
        unsafe SystemCall.send(descriptor, UnsafeRawBufferPointer(rebasing: $0[sent...]))
      }
      guard case .bytes(let count) = result else {
        if result == .wouldBlock { break }
        // Its last words, if any, are still to be read.
        return loop.again(self)
      }
      sent += count
    }
    if sent == outbox.count {
      outbox.removeAll(keepingCapacity: outbox.capacity < 1 << 20)
      sent = 0
    } else if sent > 4 << 20 {
      outbox.removeFirst(sent)
      sent = 0
    }
    if outbox.count - sent > Self.mostQueued { end("it takes no more frames") }
  }

  override func writable() { if sent < outbox.count { flush() } }

  override func readable() {
    while !isClosed {
      switch loop.receive(self, { reader.append($0) }) {
      case .bytes:
        do throws(LadderWireError) {
          while !isClosed, let event = try reader.next() { take(event) }
        } catch {
          return end("it wrote what is no message: \(error)")
        }
      case .wouldBlock: return
      case .closed, .failed: return end(nil)
      }
    }
  }

  private func take(_ event: LadderEvent) {
    switch event {
    case .frame(let stream, _, _):
      if case .rung = stream { owed = 0 }
      onEvent(event)
    case .failed(let error): words = error.message
    case .configuration, .drained, .report: onEvent(event)
    }
  }

  /// Gives the worker up.
  ///
  /// - Parameter why: nil where it has gone by itself.
  func end(_ why: String?) {
    guard !isClosed else { return }
    process.stop()
    loop.close(self)
    onEnd(words ?? why ?? "it ended", process)
  }
}
