package import Dispatch
package import Events
import Glibc
import HLS
package import Logging
import Storage
import Synchronization
package import Telemetry

/// Segments on disk that are too old for the memory and still in a playlist: viewers can go back to
/// them.
///
/// Streams hand over each segment as they publish it; one thread writes, and nothing waits for it.
/// A segment has one file, however many playlists have it, and the file goes with the last of them.
/// What a process has left is of no use to the next one, whose playlists begin anew.
package final class SegmentArchive: Sendable {
  /// How far a segment has come.
  package enum State: Sendable {
    case waiting
    case stored
    /// It could not be written: playlists can't go back behind it.
    case failed
  }

  private struct Entry {
    /// Tells it from one that was there before under the same tag, whose writing may still come.
    let number: UInt64
    var state = State.waiting
    /// How many playlists have it.
    var holders = 1
    var bytes: Int
  }

  private struct Shelf {
    var entries: [String: Entry] = [:]
    var number: UInt64 = 0
    /// Of segments that wait to be written.
    var waitingBytes = 0
    var storedBytes = 0
    /// Whether the last one failed: it is told once.
    var isFailing = false
  }

  private let folder: String
  private let limitBytes: Int
  private let reserveBytes: Int
  private let room: @Sendable (_ folder: String) -> Int?
  private let shelf = Mutex(Shelf())
  private let queue: DispatchQueue
  private let events: EventBus
  private let logger: Logger
  private let stored: Counter
  private let failed: Counter

  /// Takes over a folder, and empties it.
  ///
  /// - Parameters:
  ///   - folder: is made where it isn't there; nothing else may be in it.
  ///   - limitBytes: what may wait for the disk; a segment beyond it is not kept.
  ///   - reserveBytes: what stays free on the disk, which the records and recordings are on as a
  ///     rule.
  ///   - events: told of a disk that takes no more.
  ///   - registry: of metrics.
  ///   - logger: of the same.
  ///   - queue: where it writes, one file after the other.
  ///   - room: bytes that are free on a folder's disk; nil where that can't be known.
  package init(
    _ folder: String, limitBytes: Int, reserveBytes: Int = 0, events: EventBus = EventBus(),
    metrics registry: MetricRegistry, logger: Logger,
    queue: DispatchQueue = DispatchQueue(label: "dvr", qos: .utility),
    room: @escaping @Sendable (_ folder: String) -> Int? = { DiskRoom.free(at: $0) }
  ) {
    self.queue = queue
    self.reserveBytes = reserveBytes
    self.room = room
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

  /// Where this process has its archive while others of its node have some in the same folder.
  package static func shared(_ folder: String) -> String {
    ArchiveFolder.folder(of: getpid(), in: folder)
  }

  /// The processes before this one have ended: what they have left is of no use to anybody.
  ///
  /// - Parameter folder: as for `shared`.
  package static func removeLeft(in folder: String) {
    DispatchQueue.global(qos: .utility).async { ArchiveFolder.emptyOfTheGone(folder) }
  }

  /// Keeps a segment, or counts one more playlist that has it.
  func store(_ segment: Segment, of wedding: String) {
    let tag = Self.tag(segment)
    let bytes = segment.bytes
    enum Turn { case write(UInt64), refuse, none }
    let turn = shelf.withLock { shelf -> Turn in
      if shelf.entries[tag] != nil {
        shelf.entries[tag]?.holders += 1
        return .none
      }
      shelf.number += 1
      shelf.entries[tag] = Entry(number: shelf.number, bytes: bytes.count)
      guard shelf.waitingBytes + bytes.count <= limitBytes else {
        shelf.entries[tag]?.state = .failed
        return .refuse
      }
      shelf.waitingBytes += bytes.count
      return .write(shelf.number)
    }
    switch turn {
    case .none: break
    case .write(let number): queue.async { [self] in write(bytes, tag, number, wedding) }
    case .refuse: queue.async { [self] in note(Self.tooSlow, wedding) }
    }
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

  private func write(_ bytes: [UInt8], _ tag: String, _ number: UInt64, _ wedding: String) {
    let problem = keep(bytes, tag)
    shelf.withLock { shelf in
      shelf.waitingBytes -= bytes.count
      // Released meanwhile, and perhaps stored again: that has its own writing.
      guard shelf.entries[tag]?.number == number else { return }
      shelf.entries[tag]?.state = problem == nil ? .stored : .failed
      if problem == nil { shelf.storedBytes += bytes.count }
    }
    note(problem, wedding)
  }

  /// Writes a segment's file.
  ///
  /// - Returns: why that can't be, in words; nil where it is done.
  private func keep(_ bytes: [UInt8], _ tag: String) -> String? {
    if let free = room(folder), free - bytes.count < reserveBytes { return Self.full }
    let problem = ArchiveFolder.write(bytes, to: path(tag), in: folder)
    return problem == 0 ? nil : unsafe String(cString: strerror(problem))
  }

  private static let full = "the disk is full (recording.reserve must stay free); make room"

  private static let tooSlow =
    "the disk takes too long, and streams.dvr_buffer is full; use a faster one, or raise it"

  /// Counts a segment, and tells where the disk begins to fail or is well again.
  ///
  /// - Parameters:
  ///   - problem: why it isn't kept, in words; nil where it is.
  ///   - wedding: of the segment.
  private func note(_ problem: String?, _ wedding: String) {
    let hasChanged = shelf.withLock { shelf in
      defer { shelf.isFailing = problem != nil }
      return shelf.isFailing != (problem != nil)
    }
    (problem == nil ? stored : failed).increment()
    guard hasChanged else { return }
    guard let problem else {
      return logger.notice("dvr.recovered", metadata: ["folder": "\(folder)"])
    }
    logger.error(
      "dvr.failed",
      metadata: [
        "folder": "\(folder)", "error": "\(problem)",
        "effect": "viewers can't go back as far as they should",
      ])
    events.publish(
      Event(
        .errorOccurred, wedding: wedding,
        data: [
          "code": "dvr_failed",
          "message": .text(
            "segments can't be kept for viewers who go back: \(folder): \(problem)"),
        ]))
  }
}
