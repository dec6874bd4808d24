#if canImport(Glibc)
  import Glibc
#endif

/// A folder: on this machine, or one that it mounts.
///
/// An object appears under its name whole or not at all, and has reached the disk by then. Where
/// the file to be put lies on the same file system, it gets a second name instead of a copy. Where
/// the folder was a mount at the start it has to be one: what is left when the disk has gone is not
/// it.
package struct LocalStorage: ObjectStorage {
  package let kind = StorageKind.local
  /// The folder, without a slash at its end.
  package let path: String
  /// Where somebody serves the folder to people.
  private let publicURL: String?
  /// Whether it was on another disk than the folder that it is in: a mount, or a link to one.
  private let isMount: Bool

  /// Opens a folder, and makes it where it is missing.
  ///
  /// - Throws: `.misconfigured` where it can't be made or written.
  package init(path: String, publicURL: String? = nil) throws(StorageError) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    self.publicURL = publicURL
    do throws(StorageError) {
      try Self.makeFolders(path, below: nil)
    } catch {
      throw .misconfigured("\(error)")
    }
    guard unsafe access(path, R_OK | W_OK | X_OK) == 0 else {
      throw .misconfigured("the folder \(path) can't be written: \(SystemWords.of(errno))")
    }
    isMount = Self.isMount(path)
  }

  package func put(
    _ path: String, as name: String, contentType: String, from checkpoint: UploadCheckpoint?,
    note: @Sendable (UploadCheckpoint) async -> Void
  ) async throws(StorageError) -> StoredObject {
    try ObjectName.check(name)
    return try await BlockingWork.run { () throws(StorageError) in
      let source = try SourceFile(path)
      let checksum = try source.checksum()
      let object = StoredObject(
        kind: .local, name: name, location: self.path, bytes: source.bytes,
        contentType: contentType, checksum: checksum,
        parts: [StoredPart(bytes: source.bytes, checksum: checksum, reference: "")])
      if try has(object) { return object }
      try place(source, as: name)
      return object
    }
  }

  package func confirm(_ object: StoredObject) async throws(StorageError) -> Bool {
    try check(object)
    return try await BlockingWork.run { () throws(StorageError) in try has(object) }
  }

  package func read(
    _ object: StoredObject, range: Range<Int>
  ) async throws(StorageError) -> [UInt8] {
    try check(object)
    try ObjectRange.check(range, of: object)
    return try await BlockingWork.run { () throws(StorageError) in
      guard let file = try open(object.name) else {
        throw .notFound("the folder \(path) has no \(object.name)")
      }
      guard file.bytes == object.bytes else {
        throw .damaged(
          "\(file.path) has \(file.bytes) bytes where \(object.bytes) were put there")
      }
      return try file.read(range)
    }
  }

  package func delete(_ object: StoredObject) async throws(StorageError) {
    try check(object)
    try await BlockingWork.run { () throws(StorageError) in
      try checkMount()
      let file = place(object.name)
      if unsafe unlink(file) != 0, errno != ENOENT {
        throw Self.failure(errno, "\(file) can't be deleted")
      }
      // Folders that nothing is left in; one that isn't empty stays.
      var folder = Self.parent(of: file)
      while folder.count > path.count, unsafe rmdir(folder) == 0 {
        folder = Self.parent(of: folder)
      }
    }
  }

  package func abandon(_ checkpoint: UploadCheckpoint) async throws(StorageError) {
    try ObjectName.check(checkpoint.name)
    _ = unsafe unlink(unfinished(checkpoint.name))
  }

  package func address(_ object: StoredObject) -> String? {
    ObjectName.address(object.name, below: publicURL)
  }

  private func check(_ object: StoredObject) throws(StorageError) {
    guard object.kind == .local else {
      throw .elsewhere("\(object.name) was put into \(object.kind.rawValue) storage")
    }
    try ObjectName.check(object.name)
  }

  /// What a mount leaves when it has gone looks like an empty folder.
  private func checkMount() throws(StorageError) {
    guard isMount, !Self.isMount(path) else { return }
    throw .failed("the disk at \(path) has gone: mount it again")
  }

  private static func isMount(_ path: String) -> Bool {
    guard let own = device(of: path), let above = device(of: parent(of: path) + "/") else {
      return false
    }
    return own != above
  }

  private static func device(of path: String) -> dev_t? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status.st_dev : nil
  }

  /// Where the finished object stands.
  private func place(_ name: String) -> String { path + "/" + name }

  /// Where it stands until it is whole: a name that no object can have.
  private func unfinished(_ name: String) -> String {
    let place = place(name)
    let file = place.split(separator: "/").last ?? ""
    return Self.parent(of: place) + "/." + file + ".part"
  }

  private func open(_ name: String) throws(StorageError) -> SourceFile? {
    try checkMount()
    let place = place(name)
    if unsafe access(place, F_OK) != 0 {
      // A folder that is gone (a mount that has failed) is no proof that the object is.
      guard errno == ENOENT || errno == ENOTDIR, unsafe access(path, X_OK) == 0 else {
        throw Self.failure(errno, "the folder \(path) can't be read")
      }
      return nil
    }
    do throws(StorageError) {
      return try SourceFile(place)
    } catch {
      throw .failed("\(error)")
    }
  }

  private func has(_ object: StoredObject) throws(StorageError) -> Bool {
    guard let file = try open(object.name), file.bytes == object.bytes else { return false }
    return try file.checksum() == object.checksum
  }

  /// Gives a file its name in the folder.
  private func place(_ source: SourceFile, as name: String) throws(StorageError) {
    let place = place(name)
    let unfinished = unfinished(name)
    try Self.makeFolders(Self.parent(of: place), below: path)
    _ = unsafe unlink(unfinished)
    if unsafe link(source.path, unfinished) == 0 {
      if fsync(source.descriptor) != 0 {
        let number = errno
        _ = unsafe unlink(unfinished)
        throw Self.failure(number, "\(source.path) can't be synced")
      }
    } else {
      do throws(StorageError) {
        try Self.copy(source, to: unfinished)
      } catch {
        _ = unsafe unlink(unfinished)
        throw error
      }
    }
    guard unsafe rename(unfinished, place) == 0 else {
      throw Self.failure(errno, "\(place) can't be made")
    }
    // Two names of one file are left alone by rename.
    _ = unsafe unlink(unfinished)
    try Self.sync(folder: Self.parent(of: place))
  }

  private static func copy(_ source: SourceFile, to path: String) throws(StorageError) {
    let target = unsafe Glibc.open(
      path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard target >= 0 else { throw failure(errno, "\(path) can't be made") }
    defer { close(target) }
    try source.chunks(of: 0..<source.bytes) { (chunk) throws(StorageError) in
      var written = 0
      while written < chunk.count {
        let count = unsafe chunk.withUnsafeBytes { buffer in
          unsafe write(
            target, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
        }
        if count > 0 {
          written += count
        } else if count < 0, errno != EINTR {
          throw failure(errno, "\(path) can't be written")
        }
      }
    }
    guard fsync(target) == 0 else { throw failure(errno, "\(path) can't be synced") }
  }

  private static func sync(folder: String) throws(StorageError) {
    let descriptor = unsafe Glibc.open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { throw failure(errno, "the folder \(folder) can't be opened") }
    defer { close(descriptor) }
    // Some network file systems can't, and need not.
    if fsync(descriptor) != 0, errno != EINVAL {
      throw failure(errno, "the folder \(folder) can't be synced")
    }
  }

  /// Makes a folder and those that it is in.
  ///
  /// - Parameters:
  ///   - folder: to be made.
  ///   - root: must be there already: a mount that has gone must not be replaced by a folder.
  /// - Throws: `.failed` or `.full` with the system's words.
  private static func makeFolders(_ folder: String, below root: String?) throws(StorageError) {
    if let root, folder.count <= root.count {
      guard unsafe access(folder, X_OK) == 0 else {
        throw failure(errno, "the folder \(folder) can't be used")
      }
      return
    }
    var status = stat()
    if unsafe stat(folder, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else { throw .failed("\(folder) is no folder") }
      return
    }
    let parent = parent(of: folder)
    if !parent.isEmpty { try makeFolders(parent, below: root) }
    if unsafe mkdir(folder, 0o750) != 0, errno != EEXIST {
      throw failure(errno, "the folder \(folder) can't be made")
    }
    // A file has reached the disk when the folders have that it is in.
    if root != nil { try sync(folder: parent) }
  }

  private static func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  private static func failure(_ number: CInt, _ words: String) -> StorageError {
    let all = "\(words): \(SystemWords.of(number))"
    return number == ENOSPC || number == EDQUOT ? .full(all) : .failed(all)
  }
}
