import CLinux
import EventLoop
import Foundation
import Glibc
import TLS

/// The folder of what survives a restart, held by one process at a time.
final class DataFolder: Sendable {
  let path: String
  /// The descriptor that the folder is held by: whoever has it too holds the folder as well.
  let lock: Int32

  /// Makes the folder (mode 0700) where it isn't there, and holds it until this object goes.
  ///
  /// - Parameters:
  ///   - path: of the folder.
  ///   - given: the lock of the process before this one, which holds the folder as well.
  /// - Throws: `StartFailure` where it can't be written, or another node holds it.
  init(_ path: String, lock given: Int32? = nil) throws(StartFailure) {
    self.path = path
    if let given {
      if Self.isSame(given, path + "/lock"), flock(given, LOCK_EX | LOCK_NB) == 0 {
        lock = given
        return
      }
      // Of another folder, as the configuration has changed.
      close(given)
    }
    let problem = Self.make(path)
    guard problem == 0 else {
      let isFile = problem == EEXIST
      throw StartFailure(
        "data.path: \(path): "
          + (isFile
            ? "is a file, not a folder" : "can't be made: \(Self.words(problem))\(Self.advice)"))
    }
    let file = path + "/lock"
    let descriptor = unsafe open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StartFailure(
        "data.path: \(file): can't be written: \(Self.words(errno))\(Self.advice)")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let process = Self.process(notedIn: descriptor).map { " (process \($0))" } ?? ""
      close(descriptor)
      throw StartFailure(
        "data.path: \(path): another wedlive runs with this folder\(process); end it, or give this one another"
          + " folder")
    }
    lock = descriptor
    noteProcess()
  }

  private static let advice =
    "; let this node's user write there, or name another folder with data.path or --data"

  /// Writes into `lock` that this process is the node, as it may have come after another one.
  ///
  /// For people and scripts alone: a file that can't be written says nothing.
  func noteProcess() {
    let line = Array("\(getpid())\n".utf8)
    guard ftruncate(lock, 0) == 0 else { return }
    _ = unsafe line.withUnsafeBytes { unsafe pwrite(lock, $0.baseAddress, $0.count, 0) }
  }

  private static func process(notedIn descriptor: Int32) -> pid_t? {
    var line = [UInt8](repeating: 0, count: 16)
    let count = unsafe line.withUnsafeMutableBytes {
      unsafe pread(descriptor, $0.baseAddress, $0.count, 0)
    }
    guard count > 0 else { return nil }
    let digits = line[..<count].prefix { $0 != UInt8(ascii: "\n") }
    return pid_t(String(decoding: digits, as: UTF8.self))
  }

  deinit { close(lock) }

  /// Whether a descriptor is of the file that stands at a path.
  private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
    guard let open = FileIdentity(of: descriptor) else { return false }
    return open == FileIdentity(at: path)
  }

  /// The path of a file in it.
  func file(_ name: String) -> String { path + "/" + name }

  /// Makes a folder, and those above it, where they aren't there.
  ///
  /// - Returns: 0, or the errno of what failed; `EEXIST` where there is something else.
  static func make(_ path: String) -> Int32 {
    let problem = makeOne(path)
    guard problem == ENOENT, let above = folder(above: path) else { return problem }
    let problemAbove = make(above)
    return problemAbove == 0 ? makeOne(path) : problemAbove
  }

  private static func makeOne(_ path: String) -> Int32 {
    if unsafe mkdir(path, 0o700) == 0 { return 0 }
    let error = errno
    var isFolder: ObjCBool = false
    guard error == EEXIST else { return error }
    _ = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return isFolder.boolValue ? 0 : EEXIST
  }

  /// The folder that the last name of a path stands in; nil where the path doesn't say.
  ///
  /// Foundation's `deletingLastPathComponent` traps for a path of one character.
  private static func folder(above path: String) -> String? {
    let names = path.split(separator: "/")
    guard names.count > 1 else { return nil }
    return (path.hasPrefix("/") ? "/" : "") + names.dropLast().joined(separator: "/")
  }

  private static func words(_ error: Int32) -> String { unsafe String(cString: strerror(error)) }

  /// The certificate for a node that was given none: made at the first start, and again when it
  /// doesn't have the name asked for or is about to end.
  ///
  /// - Throws: `StartFailure`.
  func selfSignedCertificate(for host: String) throws(StartFailure) -> TLSCertificateFiles {
    let folder = file("tls")
    let files = TLSCertificateFiles(
      certificate: folder + "/certificate.pem", key: folder + "/key.pem")
    if let context = try? TLSContext.server(TLSServerConfiguration(certificates: [files])),
      let summary = context.certificates.first, summary.names.contains(host),
      summary.secondsLeft > 14 * 86_400
    {
      return files
    }
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
      return try SelfSignedCertificate.make(names: host == "localhost" ? [] : [host], at: folder)
    } catch {
      throw StartFailure("tls: \(folder): \(error)")
    }
  }
}
