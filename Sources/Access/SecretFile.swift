import Glibc

/// The file that keeps a node's secret: made once, readable by its owner alone.
package struct SecretFile: Sendable {
  /// What went wrong, naming the file and what to do; never the secret.
  package struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    package let path: String
    package let problem: String

    package var description: String { "\(path): \(problem)" }
  }

  private static let maxBytes = 4096
  package let path: String

  package init(path: String) { self.path = path }

  /// Reads the secret, or makes it where there is no file.
  ///
  /// Of two processes that start at once one makes it and the other reads it: the file is linked
  /// to its name only when it is whole and on disk.
  ///
  /// - Returns: the secret's bytes, and whether it was made now.
  /// - Throws: `Failure`.
  package func readOrMake() throws(Failure) -> (secret: [UInt8], isNew: Bool) {
    if let secret = try readIfPresent() { return (secret, false) }
    let secret = SecretFile.random()
    let isNew = try write(secret)
    if !isNew, let theirs = try readIfPresent() { return (theirs, false) }
    return (secret, true)
  }

  /// Reads the secret.
  ///
  /// - Returns: its bytes, without white space at the end.
  /// - Throws: `Failure` also when others may read the file, or the secret is weak.
  package func read() throws(Failure) -> [UInt8] {
    guard let secret = try readIfPresent() else { throw failure("there is no such file") }
    return secret
  }

  private func readIfPresent() throws(Failure) -> [UInt8]? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    if file < 0, errno == ENOENT { return nil }
    guard file >= 0 else { throw failure("can't be read: \(SecretFile.words(errno))") }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw failure("is not a file")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw failure("others can read this secret: chmod 600 \(path)")
    }
    var bytes = [UInt8](repeating: 0, count: SecretFile.maxBytes + 1)
    var count = 0
    while count < bytes.count {
      let got = unsafe bytes.withUnsafeMutableBytes {
        unsafe Glibc.read(file, $0.baseAddress?.advanced(by: count), $0.count - count)
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw failure("can't be read: \(SecretFile.words(errno))") }
      if got == 0 { break }
      count += got
    }
    guard count <= SecretFile.maxBytes else { throw failure("is too long to be a secret") }
    var secret = Array(bytes.prefix(count))
    while let last = secret.last, [9, 10, 13, 32].contains(last) { secret.removeLast() }
    guard secret.count >= VerificationKeys.minSecretBytes else {
      throw failure(
        KeyError.weakSecret(bytes: secret.count, needed: VerificationKeys.minSecretBytes)
          .description)
    }
    return secret
  }

  /// Writes the secret under a name of its own and links it to the path.
  ///
  /// - Returns: false when somebody else's file stands there by now.
  private func write(_ secret: [UInt8]) throws(Failure) -> Bool {
    let draft = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).new"
    let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure("can't be made: \(SecretFile.words(errno))") }
    defer { unsafe unlink(draft) }
    let bytes = secret + [UInt8(ascii: "\n")]
    // The mode again: a strange umask may have taken the owner's own rights.
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
    let isWritten = count == bytes.count && fchmod(file, 0o600) == 0 && fsync(file) == 0
    let problem = errno
    close(file)
    guard isWritten else { throw failure("can't be written: \(SecretFile.words(problem))") }
    if unsafe link(draft, path) != 0 {
      if errno == EEXIST { return false }
      // Some mounts have no hard links; there only two first starts at once could disagree.
      let isLinkless = errno == EPERM || errno == EOPNOTSUPP
      if isLinkless, unsafe rename(draft, path) == 0 {
        syncFolder()
        return true
      }
      throw failure("can't be made: \(SecretFile.words(errno))")
    }
    syncFolder()
    return true
  }

  /// Makes the new name survive a power cut; where a file system can't, the file is there anyway.
  private func syncFolder() {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor >= 0 {
      fsync(descriptor)
      close(descriptor)
    }
  }

  /// 32 bytes of the kernel's randomness, in hexadecimal: 64 characters.
  private static func random() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<32).flatMap { _ in
      let byte = UInt8.random(in: 0 ... .max, using: &generator)
      return [byte >> 4, byte & 15].map { $0 < 10 ? 48 + $0 : 87 + $0 }
    }
  }

  private static func words(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

  private func failure(_ problem: String) -> Failure { Failure(path: path, problem: problem) }
}
