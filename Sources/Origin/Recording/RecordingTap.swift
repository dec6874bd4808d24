import Ingest
import Media
import RTMP
import Recording
import Transcode

/// Where a live stream's messages leave for its recordings; costs nothing where there are none.
///
/// Confined to the stream's owner. The messages of one turn are handed over together.
final class RecordingTap {
  /// One rendition on its way to the disk.
  private struct Line {
    let intake: RecordingIntake
    var pending: [RecordedMessage] = []

    /// Hands on what has come.
    ///
    /// - Returns: whether more is of use to anybody.
    mutating func flush() -> Bool {
      guard !pending.isEmpty else { return true }
      let isWanted = intake.append(pending)
      pending.removeAll(keepingCapacity: true)
      return isWanted
    }
  }

  private let desk: RecordingDesk
  private let stream: StreamKey
  private var plan: String?
  private var source: Line?
  /// What a recording that begins in the middle of the stream needs first.
  private var headers: [RecordedMessage.Role: RecordedMessage] = [:]
  private var rungs: [Int: Line] = [:]
  private var writers: [Int: RungTags] = [:]
  /// The name of a rung by its place in the ladder's job.
  var name: (Int) -> String = { _ in "" }

  init(_ stream: StreamKey, desk: RecordingDesk) {
    self.stream = stream
    self.desk = desk
  }

  /// A publisher's messages follow.
  func begin(plan: String?) {
    self.plan = plan
    headers.removeAll()
    writers.removeAll()
    if desk.wants(stream, Renditions.sourceName) { openSource() }
  }

  /// The stream goes on elsewhere: should it come back, it is recorded as the configuration says.
  func forgetWishes() { desk.forget(stream) }

  /// Somebody wants the stream to be recorded that is on the air, unless that has changed since.
  func start() {
    if desk.wants(stream, Renditions.sourceName) { openSource() }
    for role in [RecordedMessage.Role.metadata, .videoHeader, .audioHeader] {
      if let header = headers[role] { source?.pending.append(header) }
    }
    for rung in writers.keys where records(rung) { open(rung) }
    flush()
  }

  private func openSource() {
    guard desk.qualities.contains(Renditions.sourceName), source?.intake.isWanted != true else {
      return
    }
    source = Line(
      intake: desk.open(stream, quality: Renditions.sourceName, plan: plan))
  }

  /// The publisher has gone.
  func end(_ reason: String) {
    _ = source?.flush()
    source?.intake.end(.publisherLeft(reason))
    source = nil
  }

  /// The last frame of every rung has come, too.
  func endRungs() {
    for rung in rungs.keys {
      _ = rungs[rung]?.flush()
      rungs[rung]?.intake.end(.publisherLeft("its last picture is encoded"))
    }
    rungs.removeAll()
  }

  /// The turn is over.
  func flush() {
    if source?.flush() == false { source = nil }
    for rung in rungs.keys where rungs[rung]?.flush() == false { rungs[rung] = nil }
  }

  // MARK: The source

  /// Takes a message as it came.
  func take(_ role: RelayMessage.Role, _ message: Message) {
    let recorded = RecordedMessage(
      RecordedMessage.Role(role), timestamp: message.timestamp, payload: message.payload)
    switch role {
    case .metadata, .videoHeader, .audioHeader: headers[recorded.role] = recorded
    default: break
    }
    source?.pending.append(recorded)
  }

  // MARK: Rungs

  /// Whether all of a rung is to be recorded.
  func records(_ rung: Int) -> Bool { desk.wants(stream, name(rung)) }

  /// A rung's encoder has said how it encodes.
  func configure(_ rung: Int, _ configuration: TrackConfiguration) {
    guard desk.qualities.contains(name(rung)) else { return }
    let isNew = writers[rung] == nil
    guard let header = writers[rung, default: RungTags()].configure(configuration) else { return }
    if isNew, records(rung) { open(rung) }
    rungs[rung]?.pending.append(header)
  }

  /// Takes a frame of a rung.
  func take(_ rung: Int, _ frame: Frame) {
    guard rungs[rung] != nil, let message = writers[rung]?.message(frame) else { return }
    rungs[rung]?.pending.append(message)
  }

  private func open(_ rung: Int) {
    guard rungs[rung]?.intake.isWanted != true else { return }
    rungs[rung] = Line(intake: desk.open(stream, quality: name(rung), plan: plan))
    rungs[rung]?.pending = writers[rung]?.headers ?? []
  }
}

extension RecordedMessage.Role {
  init(_ role: RelayMessage.Role) {
    switch role {
    case .metadata: self = .metadata
    case .videoHeader: self = .videoHeader
    case .audioHeader: self = .audioHeader
    case .keyframe: self = .keyframe
    case .video: self = .video
    case .audio: self = .audio
    case .data: self = .data
    }
  }
}
