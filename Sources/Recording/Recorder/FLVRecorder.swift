import Foundation
import Storage

/// Writes what a queue holds, on a thread of its own, until the queue's end.
enum FLVRecorder {
  /// What a recorder tells of itself, in order.
  enum Report: Sendable, Equatable {
    case part(PartWriter.Notice)
    /// All is written that ever comes; the thread ends.
    case ended(RecordingIntake.End)
  }

  /// How long the queue is left alone where little comes: what is killed meanwhile is lost.
  private static let rest = Duration.milliseconds(200)

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - intake: what is to be written.
  ///   - configuration: where to.
  ///   - report: told what happens, on the thread.
  static func start(
    _ intake: RecordingIntake, _ configuration: PartWriter.Configuration,
    report: @escaping @Sendable (Report) -> Void
  ) {
    let thread = Thread {
      // Before it runs there is nothing yet that could have a name for the kernel.
      Thread.current.name = "recorder"
      run(intake, configuration, report: report)
    }
    thread.stackSize = 512 << 10
    thread.start()
  }

  private static func run(
    _ intake: RecordingIntake, _ configuration: PartWriter.Configuration,
    report: @escaping @Sendable (Report) -> Void
  ) {
    var writer = PartWriter(
      configuration, room: { DiskRoom.free(at: configuration.root) }, notice: { report(.part($0)) })
    while true {
      let (entries, end) = intake.next(waiting: rest)
      var bytes = 0
      for entry in entries {
        writer.take(entry)
        if case .message(let message, _) = entry { bytes += message.keptBytes }
      }
      writer.settle()
      intake.wrote(bytes)
      if writer.isOver { intake.abandon() }
      guard end != nil || writer.isOver else { continue }
      if let end { writer.finish(PartEnd(end)) }
      return report(.ended(end ?? .stopped))
    }
  }
}

extension PartEnd {
  init(_ end: RecordingIntake.End) {
    switch end {
    case .publisherLeft(let words): self = .publisherLeft(words)
    case .stopped: self = .stopped
    }
  }
}
