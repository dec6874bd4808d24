import Dispatch
package import Events
import Glibc
import HLS
package import Logging
import Synchronization
package import Telemetry

/// Segments on disk that are too old for the memory and still in a playlist: viewers can go back to them.
///
/// Streams hand over each segment as they publish it; one thread writes, and nothing waits for it. A
/// segment has one file, however many playlists have it, and the file goes with the last of them. What a
/// process has left is of no use to the next one, whose playlists begin anew.
package final class SegmentArchive: Sendable {
  /// How far a segment has come.
  package enum State: Sendable {
    case waiting
    case stored
    /// It could not be written: playlists can't go back behind it.
    case failed
  }

  private struct Entry {
    var state = State.waiting
    /// How many playlists have it.
    var holders = 1
    var bytes: Int
  }

  private struct Shelf {
    var entries: [String: Entry] = [:]
    /// Of segments that wait to be written.
    var waitingBytes = 0
    var storedBytes = 0
    /// Whether the last one failed: it is told once.
    var isFailing = false
  }

  private let folder: String
  private let limitBytes: Int
  private let shelf = Mutex(Shelf())
  private let queue = DispatchQueue(label: "dvr", qos: .utility)
  private let events: EventBus
  private let logger: Logger
  private let stored: Counter
  private let failed: Counter

  /// Takes over a folder, and empties it.
  ///
  /// - Parameters:
  ///   - folder: is made where it isn't there; nothing else may be in it.
  ///   - limitBytes: what may wait for the disk; a segment beyond it is not kept.
  ///   - events: told of a disk that takes no more.
  ///   - registry: of metrics.
  ///   - logger: of the same.
  package init(
    _ folder: String, limitBytes: Int, events: EventBus = EventBus(),
    metrics registry: MetricRegistry, logger: Logger
  ) {
    self.folder = folder
    self.limitBytes = limitBytes
    self.events = events
    self.logger = logger
    let help = "Segments for going back in time, by whether the disk took them."
    stored = registry.counter(
      "wedlive_dvr_segments_total", help: help, labels: ["result": "stored"])
    failed = registry.counter(
      "wedlive_dvr_segments_total", help: help, labels: ["result": "failed"])
    registry.gauge(
      "wedlive_dvr_waiting_bytes",
      help: "What waits to be written there: streams.dvr_buffer bounds it."
    ) { [weak self] in Double(self?.shelf.withLock { $0.waitingBytes } ?? 0) }
    registry.gauge("wedlive_dvr_bytes", help: "What segments for going back take on the disk.") {
      [weak self] in Double(self?.shelf.withLock { $0.storedBytes } ?? 0)
    }
    queue.async { ArchiveFolder.empty(folder) }
  }

  /// Keeps a segment, or counts one more playlist that has it.
  func store(_ segment: Segment, of wedding: String) {
    let tag = Self.tag(segment)
    let bytes = segment.bytes
    let isNew = shelf.withLock { shelf in
      if shelf.entries[tag] != nil {
        shelf.entries[tag]?.holders += 1
        return false
      }
      shelf.entries[tag] = Entry(bytes: bytes.count)
      guard shelf.waitingBytes + bytes.count <= limitBytes else {
        shelf.entries[tag]?.state = .failed
        return false
      }
      shelf.waitingBytes += bytes.count
      return true
    }
    guard isNew else { return }
    queue.async { [self] in write(bytes, tag, wedding) }
  }

  /// How far a segment has come; failed for one that was never given.
  func state(_ segment: Segment) -> State {
    shelf.withLock { $0.entries[Self.tag(segment)]?.state ?? .failed }
  }

  /// One more playlist has a segment that is here.
  func hold(_ segment: Segment) {
    shelf.withLock { $0.entries[Self.tag(segment)]?.holders += 1 }
  }

  /// A playlist hasn't got a segment any more.
  func release(_ segment: Segment) {
    let tag = Self.tag(segment)
    let isLast = shelf.withLock { shelf in
      guard let entry = shelf.entries[tag] else { return false }
      guard entry.holders == 1 else {
        shelf.entries[tag]?.holders -= 1
        return false
      }
      shelf.entries[tag] = nil
      if entry.state == .stored { shelf.storedBytes -= entry.bytes }
      return true
    }
    // After its writing, should that still be to come.
    if isLast { queue.async { [path = path(tag)] in _ = unsafe unlink(path) } }
  }

  /// Where a segment's bytes are.
  func path(_ segment: Segment) -> String { path(Self.tag(segment)) }

  private func path(_ tag: String) -> String { "\(folder)/\(ArchiveFolder.part(tag))/\(tag)" }

  /// What all numbers that a segment has in playlists share.
  private static func tag(_ segment: Segment) -> String {
    String(segment.name.drop { $0 != "-" }.dropFirst())
  }

  // MARK: The disk

  private func write(_ bytes: [UInt8], _ tag: String, _ wedding: String) {
    let problem = ArchiveFolder.write(bytes, to: path(tag), in: folder)
    let hasChanged = shelf.withLock { shelf in
      shelf.waitingBytes -= bytes.count
      if shelf.entries[tag] != nil {
        shelf.entries[tag]?.state = problem == 0 ? .stored : .failed
        if problem == 0 { shelf.storedBytes += bytes.count }
      }
      defer { shelf.isFailing = problem != 0 }
      return shelf.isFailing != (problem != 0)
    }
    (problem == 0 ? stored : failed).increment()
    guard hasChanged else { return }
    guard problem != 0 else {
      return logger.notice("dvr.recovered", metadata: ["folder": "\(folder)"])
    }
    let words = unsafe String(cString: strerror(problem))
    logger.error(
      "dvr.failed",
      metadata: [
        "folder": "\(folder)", "error": "\(words)",
        "effect": "viewers can't go back as far as they should",
      ])
    events.publish(
      Event(
        .errorOccurred, wedding: wedding,
        data: [
          "code": "dvr_failed",
          "message": .text(
            "segments can't be kept for viewers who go back: \(folder): \(words)"),
        ]))
  }
}
