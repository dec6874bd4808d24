import CLinux
import Foundation
import Glibc

/// What systemd is told of a unit with `Type=notify` (sd_notify(3)); nothing where it isn't there.
enum ServiceManager {
  /// The node serves.
  static func ready() { tell("READY=1\nMAINPID=\(getpid())") }

  /// Another process is the service from now on.
  static func mainProcess(is process: pid_t) { tell("MAINPID=\(process)") }

  /// The node is being stopped.
  static func stopping() { tell("STOPPING=1") }

  /// Sends one datagram to the socket that `NOTIFY_SOCKET` names, a path or an abstract name.
  private static func tell(_ words: String) {
    guard let name = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"],
      name.hasPrefix("/") || name.hasPrefix("@")
    else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var path = Array(name.utf8)
    if path[0] == UInt8(ascii: "@") { path[0] = 0 }
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_UNIX, kind, 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let bytes = Array(words.utf8)
    // A name that isn't a path ends with its last byte, not with a zero.
    let size = socklen_t(MemoryLayout<sa_family_t>.size + path.count + (path[0] == 0 ? 0 : 1))
    _ = unsafe withUnsafePointer(to: address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bytes.withUnsafeBytes {
          unsafe sendto(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), address, size)
        }
      }
    }
  }
}
