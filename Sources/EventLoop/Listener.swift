import CLinux
import Glibc

/// Accepts connections on one loop and hands them to its owner.
///
/// When the process or the machine has no descriptor left it rests for a moment instead of
/// spinning: the connections wait in the kernel's backlog meanwhile.
package final class Listener: Channel {
  package typealias Accept = (consuming Socket, SocketAddress) -> Void

  /// How many connections one turn accepts before the others have theirs.
  private static let perTurn = 64
  private static let backoff = Duration.milliseconds(100)

  private let accept: Accept
  /// Told each time accepting has to rest, with the reason.
  private let rested: (SystemError) -> Void
  private var resting = false
  /// Connections accepted.
  package private(set) var accepted: UInt64 = 0

  /// Makes a listener on a listening socket; it accepts once it is added to the loop.
  package init(
    _ socket: consuming Socket, on loop: Loop, rested: @escaping (SystemError) -> Void = { _ in },
    accept: @escaping Accept
  ) {
    self.accept = accept
    self.rested = rested
    super.init(socket, on: loop)
    // The process that takes over from this one goes on with it.
    isShared = true
  }

  override package func readable() {
    guard !resting else { return }
    for _ in 0..<Self.perTurn {
      guard !isClosed else { return }
      switch SystemCall.accept(descriptor) {
      case .success(let (descriptor, address)):
        accepted += 1
        let socket = Socket(owning: descriptor)
        // A connection that can't be tuned is still served.
        try? socket.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        accept(socket, address)
      case .failure(let error):
        switch error.code {
        case EAGAIN: return
        case ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, ENETUNREACH: continue
        default: return rest(error)  // EMFILE, ENFILE, ENOBUFS, ENOMEM
        }
      }
    }
    loop.again(self)
  }

  private func rest(_ error: SystemError) {
    resting = true
    rested(error)
    let id = id
    let loop = loop
    loop.schedule(after: Self.backoff) { [unowned loop] in
      guard let listener = loop.channel(id) as? Listener else { return }
      listener.resting = false
      listener.readable()
    }
  }
}
