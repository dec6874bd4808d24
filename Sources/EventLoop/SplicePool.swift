import Glibc

/// The pipes of one loop: a connection has one only while bytes of it stand in it.
package final class SplicePool {
  /// Idle ones that are kept; the rest is closed.
  private static let keep = 32

  private let bytes: Int
  private var free: [SplicePipe] = []
  /// Pipes in the hands of connections.
  package private(set) var inUse = 0

  /// Makes an empty pool, and has the process ignore SIGPIPE.
  ///
  /// A splice to a socket that was reset has no flag against that signal, as a send has; it fails
  /// with EPIPE then.
  ///
  /// - Parameter bytes: the room of each pipe.
  package init(bytes: Int) {
    self.bytes = bytes
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// An empty pipe.
  ///
  /// - Throws: `SystemError` where there is no descriptor left.
  package func take() throws(SystemError) -> SplicePipe {
    let idle = free.popLast()
    let pipe = if let idle { idle } else { try SplicePipe(bytes: bytes) }
    inUse += 1
    return pipe
  }

  /// Takes a pipe back; one with something in it is closed.
  package func give(_ pipe: SplicePipe) {
    inUse -= 1
    if pipe.count == 0, free.count < Self.keep { free.append(pipe) }
  }
}
