import EventLoop
import Foundation
import Synchronization

/// Stands between one connection and its server, and lets something happen between an answer and
/// whoever has asked.
package final class RedisRelay: Sendable {
  package typealias Work = @Sendable () async -> Void

  package let port: UInt16
  private let next = Mutex<(word: String, work: Work)?>(nil)

  /// Waits for one connection, on a thread that ends with it.
  ///
  /// - Parameter server: whom the connection is to reach.
  /// - Throws: why it can't listen.
  package init(to server: RedisServerProcess) throws {
    guard let any = SocketAddress(host: "127.0.0.1", port: 0),
      let target = SocketAddress(host: "127.0.0.1", port: server.port)
    else { throw SystemError("address", 0) }
    let socket = try Socket.listening(on: any)
    port = socket.localAddress.port
    let descriptor = socket.release()
    Thread.detachNewThread { [self] in pass(Socket(owning: descriptor), target) }
  }

  /// Has something done when the server has answered the next request with a word in it, before the
  /// answer is passed on.
  package func after(_ word: String, _ work: @escaping Work) {
    next.withLock { $0 = (word, work) }
  }

  /// Whether there was no such request yet.
  package var isWaiting: Bool { next.withLock { $0 != nil } }

  private func pass(_ listener: consuming Socket, _ target: SocketAddress) {
    guard Self.wait(listener.descriptor, -1) != nil else { return }
    let client = accept(listener.descriptor, nil, nil)
    defer { close(client) }
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(server) }
    guard client >= 0, server >= 0, target.connect(server) == 0 else { return }
    var work: Work?
    while let ready = Self.wait(client, server) {
      guard let bytes = Self.read(ready) else { return }
      if ready == client {
        work = work ?? take(String(decoding: bytes, as: UTF8.self))
      } else if let due = work.take() {
        Self.finish(due)
      }
      let other = ready == client ? server : client
      guard unsafe write(other, bytes, bytes.count) == bytes.count else { return }
    }
  }

  private func take(_ request: String) -> Work? {
    next.withLock { next in
      guard let word = next?.word, request.contains(word) else { return nil }
      return next.take()?.work
    }
  }

  /// Waits for one that can be read.
  private static func wait(_ first: Int32, _ second: Int32) -> Int32? {
    var both = [first, second].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    guard unsafe poll(&both, 2, -1) > 0 else { return nil }
    return both.first { $0.revents != 0 }?.fd
  }

  private static func read(_ descriptor: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = unsafe Foundation.read(descriptor, &bytes, bytes.count)
    return count > 0 ? Array(bytes[..<count]) : nil
  }

  /// Waits on this thread, which is nobody else's.
  private static func finish(_ work: @escaping Work) {
    let done = DispatchSemaphore(value: 0)
    Task {
      await work()
      done.signal()
    }
    done.wait()
  }
}
