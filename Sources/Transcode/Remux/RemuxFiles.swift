import CLinux

#if canImport(Glibc)
  import Glibc
#endif

/// The files of a job, which the child can't open itself: those that it reads, and those that it
/// makes, under names of their own until all is well.
struct RemuxFiles: ~Copyable {
  private let folder: String
  private var parts: [CInt] = []
  private var movies: [(name: String, descriptor: CInt)] = []
  private var items: [String] = []
  /// How long a movie can become: little more than what it is made of.
  private(set) var largestMovie = 0

  /// What the index of a movie and the like may take beside the frames, in bytes.
  private static let spare = 64 << 20

  /// Opens all files.
  ///
  /// - Throws: `.missingPart`, `.folder`, or `.full` where the disk has no room.
  init(_ job: RemuxJob, folder: String) throws(RemuxError) {
    self.folder = folder
    guard !job.parts.isEmpty else { throw RemuxError(.noMedia, "the recording has no parts") }
    guard job.parts.count <= RemuxJob.maximumParts else {
      throw RemuxError(
        .failed, "the recording has \(job.parts.count) parts, more than \(RemuxJob.maximumParts)")
    }
    var bytes = 0
    for part in job.parts {
      let descriptor = unsafe open(part.path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        throw Self.unreadable(errno, part.path)
      }
      parts.append(descriptor)
      var status = stat()
      if unsafe fstat(descriptor, &status) == 0 { bytes += Int(status.st_size) }
    }
    // The index takes at most as much as tags do that have a few bytes each.
    largestMovie = bytes * 3 + Self.spare
    try checkRoom(bytes * (job.makesPlayback ? 2 : 1))
    for index in 0..<RecordingTimeline.maximumMovies {
      try make(RemuxFile.movie(index))
    }
    for index in 0..<RecordingTimeline.maximumMovies where job.makesPlayback {
      try make(RemuxFile.playback(index))
    }
  }

  deinit {
    for descriptor in parts + movies.map(\.descriptor) { close(descriptor) }
  }

  /// For the child, in the order that `RemuxOrder` counts them in.
  var descriptors: [CInt] { parts + movies.map(\.descriptor) }

  /// Writes what the child has sent.
  mutating func write(
    _ item: RemuxMessage.Item, _ bytes: [UInt8]
  ) throws(RemuxError) {
    let name = RemuxFile.item(item)
    guard items.count < 256, !items.contains(name) else {
      throw RemuxError(.crashed, "the remux worker said what makes no sense")
    }
    let path = unfinished(name)
    let descriptor = unsafe open(path, Self.making, 0o640)
    guard descriptor >= 0 else { throw failure(errno, path) }
    items.append(name)
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(
          descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
      }
      if count > 0 {
        written += count
      } else if count < 0, errno != EINTR {
        throw failure(errno, path)
      }
    }
    guard fsync(descriptor) == 0 else { throw failure(errno, path) }
  }

  /// Gives the files their names; those that nothing was written to go.
  mutating func keep(_ result: RemuxResult) throws(RemuxError) {
    var sizes: [String: Int] = [:]
    for name in movies.map(\.name) + items { sizes[name] = bytes(of: name) }
    guard result.isSound({ sizes[$0] }) else {
      throw RemuxError(.crashed, "the remux worker said what makes no sense")
    }
    var made = items
    for movie in result.movies { made += [movie.file] + (movie.playback.map { [$0.file] } ?? []) }
    for (name, descriptor) in movies where made.contains(name) {
      guard fsync(descriptor) == 0 else { throw failure(errno, name) }
    }
    for name in made {
      guard items.contains(name) || movies.contains(where: { $0.name == name }) else {
        throw RemuxError(.crashed, "the remux worker said what makes no sense")
      }
      guard unsafe rename(unfinished(name), folder + "/" + name) == 0 else {
        throw failure(errno, name)
      }
    }
    for (name, _) in movies where !made.contains(name) { _ = unsafe unlink(unfinished(name)) }
    let descriptor = unsafe open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { throw failure(errno, folder) }
    defer { close(descriptor) }
    if fsync(descriptor) != 0, errno != EINVAL { throw failure(errno, folder) }
  }

  /// How long one of the files is; nil where it was not made.
  private func bytes(of name: String) -> Int? {
    guard items.contains(name) || movies.contains(where: { $0.name == name }) else { return nil }
    var status = stat()
    return unsafe stat(unfinished(name), &status) == 0 ? Int(status.st_size) : nil
  }

  /// Takes away what was begun.
  func discard() {
    for name in movies.map(\.name) + items { _ = unsafe unlink(unfinished(name)) }
  }

  private static let making = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW

  private mutating func make(_ name: String) throws(RemuxError) {
    // One that a crash has left may be open in a child that is about to end.
    _ = unsafe unlink(unfinished(name))
    let descriptor = unsafe open(unfinished(name), Self.making, 0o640)
    guard descriptor >= 0 else {
      let number = errno
      discard()
      throw failure(number, unfinished(name))
    }
    movies.append((name, descriptor))
  }

  private func unfinished(_ name: String) -> String { "\(folder)/.\(name).part" }

  private func checkRoom(_ bytes: Int) throws(RemuxError) {
    var room = statvfs()
    guard unsafe statvfs(folder, &room) == 0 else { throw failure(errno, folder) }
    let free = Int(
      clamping: UInt64(room.f_bavail).multipliedReportingOverflow(
        by: UInt64(room.f_frsize)
      ).partialValue)
    // Others write there, too.
    let needed = bytes + (8 << 20)
    guard free > needed else {
      throw RemuxError(
        .full, "\(folder) has \(free >> 20) MiB left, and \(needed >> 20) are needed")
    }
  }

  /// Why a part can't be opened: only one that is not there will never be.
  private static func unreadable(_ number: CInt, _ path: String) -> RemuxError {
    let code: RemuxError.Code =
      switch number {
      case ENOENT, ENOTDIR: .missingPart
      case EMFILE, ENFILE, ENOMEM: .resources
      default: .folder
      }
    return RemuxError(code, "\(path) can't be opened: \(words(number))")
  }

  private func failure(_ number: CInt, _ path: String) -> RemuxError {
    let isFull = number == ENOSPC || number == EDQUOT
    return RemuxError(
      isFull ? .full : .folder, "\(path) can't be written: \(Self.words(number))")
  }

  private static func words(_ number: CInt) -> String { TranscodeError.text(of: -number) }
}
