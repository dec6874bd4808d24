import EventLoop
import Media
import Transcode

/// A media worker's socket on a loop: tags are pulled from here, and read only as they are wanted.
final class MediaFeed: Channel {
  /// How many tags are read ahead.
  private static let ahead = 32

  private let process: WorkerProcess
  private var feed = WorkerFeed()
  private var tags: [FLVTag] = []
  private var head = 0
  private var isOver = false
  /// Told when there is a tag where there was none, and at the end.
  var onTag: () -> Void = {}
  /// Told once all tags are taken: nil where the work is done, else why it is not.
  var onEnd: (TranscodeError?) -> Void = { _ in }

  /// Takes a worker started with a non-blocking descriptor.
  ///
  /// - Throws: `.system` where the process has no descriptor left.
  init(_ process: WorkerProcess, on loop: Loop) throws(TranscodeError) {
    let own = try process.duplicateDescriptor()
    self.process = process
    super.init(Socket(owning: own), on: loop)
  }

  /// The next tag, without taking it; nil where none is there yet.
  var first: FLVTag? { head < tags.count ? tags[head] : nil }

  /// Takes the first tag away.
  func removeFirst() {
    guard head < tags.count else { return }
    head += 1
    if head == tags.count {
      tags.removeAll(keepingCapacity: true)
      head = 0
    }
    if tags.count - head < Self.ahead / 2, !isClosed { loop.again(self) }
    if isOver, first == nil { finish() }
  }

  override func readable() {
    let wasEmpty = first == nil
    while !isClosed, tags.count - head < Self.ahead {
      switch loop.receive(self, { feed.append($0) }) {
      case .bytes:
        do throws(TranscodeError) {
          while let tag = try feed.next() { tags.append(tag) }
        } catch {
          process.stop()
          loop.close(self)
          return onEnd(error)
        }
      case .wouldBlock:
        if wasEmpty, first != nil { onTag() }
        return
      case .closed, .failed:
        isOver = true
        loop.close(self)
        return first == nil ? finish() : onTag()
      }
    }
    if wasEmpty, first != nil { onTag() }
  }

  /// The socket has ended, so the child has or will in a moment.
  private func finish() { onEnd(feed.failure(after: process.wait())) }
}
