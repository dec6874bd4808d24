import Glibc
import Media

/// Turns what a recording's queue holds into FLV files: begins them at keyframes, splits them, ends
/// them where the disk or the stream does, and begins again when it can.
///
/// Used by one thread, which may wait for the disk as long as it takes.
struct PartWriter {
  /// Where and how much is written.
  struct Configuration: Sendable {
    /// The folder of all recordings, and the recording's in it.
    var root: String
    var folder: String
    var name: PartName
    /// What the recording is, as JSON: stands beside its parts for when the records are lost.
    var label: [UInt8] = []
    /// From this size on a part ends at the next keyframe.
    var maximumBytes = 2_048 << 20
    /// What must stay free on the disk.
    var reserveBytes = 256 << 20
    /// What it may take of what its wedding has; nil where nothing limits or counts that.
    var quota: Quota?
    /// Which of the recording's publishers is written, counted from 0.
    var run = 0
    /// How often the disk is made to have what was written.
    var syncEvery = Duration.seconds(2)
    /// How long a picture that decoding can start with is waited for.
    var keyframePatience = Duration.seconds(10)
    /// How long to wait before a disk that failed is tried again.
    var retryEvery = Duration.seconds(2)
  }

  /// What happened to the recording's parts.
  enum Notice: Sendable, Equatable {
    case began(file: String, at: Int64)
    /// How far the part has come: its size, and how much of the stream it holds.
    case grew(bytes: Int, milliseconds: Int64)
    case ended(bytes: Int, milliseconds: Int64, PartEnd)
    /// Nothing is written for a while, as there is no part to end.
    case refused(PartEnd)
  }

  private let configuration: Configuration
  private let now: () -> Int64
  private let room: () -> Int?
  private let notice: (Notice) -> Void

  private var file: PartFile?
  private var headers: [RecordedMessage.Role: RecordedMessage] = [:]
  private var clock = TimestampUnwrapper()
  private var firstTime: Int64?
  /// When the message that is written came.
  private var came: Int64 = 0
  /// Whether pictures are of no use before the next keyframe, and since when that is so.
  private var awaitsKeyframe = true
  private var waitingSince: Int64?
  /// Nothing is written before this time.
  private var pausedUntil: Int64?
  private var pause: PartEnd?
  private var syncedAt: Int64 = 0
  /// What of the part is counted for its wedding's quota.
  private var countedBytes = 0
  /// Whether no part ever follows.
  private(set) var isOver = false

  /// Makes a writer that has written nothing.
  ///
  /// - Parameters:
  ///   - configuration: where and how much.
  ///   - now: milliseconds of a clock that nobody sets.
  ///   - room: bytes that are free on the disk; nil where that can't be known.
  ///   - notice: told what happens, on the writer's thread.
  init(
    _ configuration: Configuration, now: @escaping () -> Int64 = PartWriter.uptime,
    room: @escaping () -> Int?, notice: @escaping (Notice) -> Void
  ) {
    self.configuration = configuration
    self.now = now
    self.room = room
    self.notice = notice
  }

  /// Milliseconds since the machine was started: pauses and patience outlast a clock that is set.
  private static let uptime: @Sendable () -> Int64 = {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }

  // MARK: Messages

  /// Takes the next entry of the queue.
  mutating func take(_ entry: RecordingIntake.Entry) {
    switch entry {
    case .gap: finish(.slowDisk)
    case .message(let message, let time):
      came = time
      take(message)
    }
  }

  private mutating func take(_ message: RecordedMessage) {
    guard !isOver else { return }
    switch message.role {
    case .metadata, .videoHeader, .audioHeader: header(message)
    case .keyframe:
      if file != nil, (file?.bytes ?? 0) >= configuration.maximumBytes { finish(.split) }
      awaitsKeyframe = false
      write(message, .video)
    case .video:
      guard !awaitsKeyframe || isTiredOfWaiting() else { return }
      awaitsKeyframe = false
      write(message, .video)
    case .audio:
      // Where there are pictures, a part begins with one; sound between them goes on.
      guard file != nil || headers[.videoHeader] == nil || !awaitsKeyframe || isTiredOfWaiting()
      else { return }
      write(message, .audio)
    case .data:
      if file != nil { append(message, .script) }
    }
  }

  private mutating func header(_ message: RecordedMessage) {
    let known = headers[message.role]
    headers[message.role] = message
    guard file != nil, known?.payload != message.payload else { return }
    // Pictures of another kind follow, and the first of them is a keyframe.
    if message.role == .videoHeader, known != nil { return finish(.otherSettings) }
    append(message, message.role == .metadata ? .script : message.role.kind)
  }

  private mutating func isTiredOfWaiting() -> Bool {
    let since = waitingSince ?? now()
    waitingSince = since
    return now() - since >= Int64(configuration.keyframePatience / .milliseconds(1))
  }

  private mutating func write(_ message: RecordedMessage, _ kind: FLVTag.Kind) {
    waitingSince = nil
    if let file, file.bytes >= configuration.maximumBytes + configuration.maximumBytes / 8 {
      // No keyframe comes.
      finish(.split)
      awaitsKeyframe = false
    }
    guard file != nil || begin(at: message.timestamp) else { return }
    let time = clock.unwrap(message.timestamp, track: kind == .video ? .video : .audio)
    firstTime = firstTime ?? time.milliseconds
    append(message, kind)
  }

  private mutating func append(_ message: RecordedMessage, _ kind: FLVTag.Kind) {
    guard let file else { return }
    do throws(DiskError) {
      try file.append(kind, timestamp: message.timestamp, body: message.payload.span)
    } catch {
      return fail(error)
    }
    count(file)
    if configuration.quota?.isUsedUp == true {
      finish(.quota)
      isOver = true
    }
  }

  /// Counts what the part has grown by.
  private mutating func count(_ file: PartFile) {
    guard let quota = configuration.quota else { return }
    quota.usage.grow(quota.recording, by: file.bytes - countedBytes)
    countedBytes = file.bytes
  }

  // MARK: Parts

  /// Begins a part with the headers that are known.
  ///
  /// - Returns: whether there is one.
  private mutating func begin(at timestamp: UInt32) -> Bool {
    let now = now()
    if let pausedUntil, now < pausedUntil { return wait() }
    if let free = room(), free < configuration.reserveBytes { return refuse(.noRoom) }
    do throws(DiskError) {
      file = try open(came)
    } catch {
      return refuse(error.isForRoom ? .noRoom : .disk("\(error)"))
    }
    pause = nil
    pausedUntil = nil
    syncedAt = now
    clock = TimestampUnwrapper()
    firstTime = nil
    countedBytes = 0
    for role in [RecordedMessage.Role.metadata, .videoHeader, .audioHeader] {
      guard var header = headers[role] else { continue }
      header.timestamp = role == .metadata ? 0 : timestamp
      append(header, role.kind)
    }
    return file != nil
  }

  /// Makes the file, under the next name that is free: each second has one.
  private func open(_ began: Int64) throws(DiskError) -> PartFile {
    let folder = RecordingFolder(configuration.folder)
    try folder.label(configuration.label)
    var time = began
    while true {
      let name = configuration.name.file(at: time)
      do throws(DiskError) {
        let file = try PartFile(
          in: configuration.folder, name: name, hasAudio: headers[.audioHeader] != nil,
          hasVideo: headers[.videoHeader] != nil)
        do throws(DiskError) {
          try folder.list.append(PartList.Line(file: name, run: configuration.run, started: began))
        } catch {
          try folder.remove([name])
          throw error
        }
        notice(.began(file: name, at: began))
        return file
      } catch {
        guard error.isForName, time - began < 3_600_000 else { throw error }
        time += 1_000
      }
    }
  }

  /// Nothing can be written: says so once.
  private mutating func refuse(_ why: PartEnd) -> Bool {
    if pause == nil { notice(.refused(why)) }
    pause = why
    pausedUntil = now() + Int64(configuration.retryEvery / .milliseconds(1))
    return wait()
  }

  private mutating func wait() -> Bool {
    awaitsKeyframe = true
    return false
  }

  /// The disk has failed in the middle of a part, which ends with what is whole.
  private mutating func fail(_ error: DiskError) {
    finish(error.isForRoom ? .noRoom : .disk("\(error)"))
  }

  /// Ends the part, where there is one: it is on disk, or as much of it as the disk takes.
  mutating func finish(_ end: PartEnd) {
    awaitsKeyframe = true
    guard let file else { return }
    self.file = nil
    var end = end
    do throws(DiskError) {
      try file.flush()
      try file.sync()
    } catch {
      end = error.isForRoom ? .noRoom : .disk("\(error)")
    }
    count(file)
    if case .noRoom = end { pause = end }
    if case .disk = end { pause = end }
    if pause != nil { pausedUntil = now() + Int64(configuration.retryEvery / .milliseconds(1)) }
    notice(.ended(bytes: file.bytes, milliseconds: length, end))
  }

  /// How much of the stream the part holds.
  private var length: Int64 { firstTime.map { max(0, clock.head - $0) } ?? 0 }

  // MARK: The disk

  /// Gives the kernel what was taken, and the disk from time to time; looks for room.
  mutating func settle() {
    guard let file else { return }
    let now = now()
    do throws(DiskError) {
      try file.flush()
      guard now - syncedAt >= Int64(configuration.syncEvery / .milliseconds(1)) else { return }
      syncedAt = now
      try file.sync()
    } catch {
      return fail(error)
    }
    notice(.grew(bytes: file.bytes, milliseconds: length))
    if let free = room(), free < configuration.reserveBytes { finish(.noRoom) }
  }
}

extension RecordedMessage.Role {
  var kind: FLVTag.Kind {
    switch self {
    case .metadata, .data: .script
    case .videoHeader, .keyframe, .video: .video
    case .audioHeader, .audio: .audio
    }
  }
}
