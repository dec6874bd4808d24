import Bytes
import CLinux
import EventLoop
import Glibc
import Synchronization

/// One end of what connects a process with the one that takes over from it.
///
/// It ends when the other process does, however that comes.
final class UpgradeLink: Sendable {
  /// What comes from the other process, until that has ended or has closed its end.
  let messages: AsyncStream<UpgradeMessage>
  /// For a process that is to be given this end.
  let descriptor: Int32
  /// That has made the link, as the kernel says: of an end that was inherited the one before.
  let maker: Int32?
  private let mailbox: LoopMailbox
  private let ended = Mutex(false)
  private let channel = Mutex<ChannelID?>(nil)

  /// Whether the other process has ended, or this end is closed.
  var hasEnded: Bool { ended.withLock { $0 } }

  /// Whether the other process has not ended, and a door may be its own.
  func isAlive(behind door: UpgradeMessage.Door) -> Bool {
    !hasEnded && (door.process == nil || door.process == maker)
  }

  /// Takes over an end.
  ///
  /// - Parameters:
  ///   - descriptor: of `pair`.
  ///   - mailbox: of the loop that listens to it.
  init(owning descriptor: Int32, on mailbox: LoopMailbox) {
    let (messages, post) = AsyncStream.makeStream(of: UpgradeMessage.self)
    self.messages = messages
    self.descriptor = descriptor
    maker = Self.maker(of: descriptor)
    self.mailbox = mailbox
    let isTaken = mailbox.submit { loop in
      let channel = UpgradeChannel(Socket(owning: descriptor), on: loop, post) { [weak self] in
        self?.ended.withLock { $0 = true }
      }
      do {
        try loop.add(channel)
        channel.readable()
      } catch {
        post.finish()
      }
      self.channel.withLock { $0 = channel.id }
    }
    if !isTaken { post.finish() }
  }

  /// Makes two ends.
  ///
  /// - Returns: descriptors that no program started later has by itself.
  /// - Throws: `StartFailure` where none is left.
  static func pair() throws(StartFailure) -> (Int32, Int32) {
    var pair: [Int32] = [-1, -1]
    let kind = Int32(
      SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &pair) == 0 else {
      throw StartFailure("no socket pair: \(SystemError("socketpair", errno))")
    }
    return (pair[0], pair[1])
  }

  private static func maker(of descriptor: Int32) -> Int32? {
    // `struct ucred`, which the C library shows to no Swift: process, user, group.
    var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
    return result == 0 ? credentials.0 : nil
  }

  /// Tells the other process something; it is lost where that has ended.
  func send(_ message: UpgradeMessage) {
    let bytes = message.json
    onLoop { channel in
      _ = unsafe bytes.withUnsafeBytes { unsafe SystemCall.send(channel.descriptor, $0) }
    }
  }

  /// Closes this end.
  func close() { onLoop { $0.loop.close($0) } }

  private func onLoop(_ body: @escaping @Sendable (Channel) -> Void) {
    mailbox.submit { [self] loop in
      guard let id = channel.withLock({ $0 }), let open = loop.channel(id) else { return }
      body(open)
    }
  }

  /// Waits for a message of a kind; others are passed over.
  ///
  /// - Returns: nil where the other process has ended, or its time is over: see `hasEnded`.
  func next(_ kind: UpgradeMessage.Kind, within limit: Duration) async -> UpgradeMessage? {
    await withTaskGroup { group in
      group.addTask { [messages] in
        for await message in messages where message.kind == kind {
          return UpgradeMessage?.some(message)
        }
        return nil
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }

  /// Waits until the other process has ended, or the task is cancelled.
  func end() async { for await _ in messages {} }
}

/// A link's end on its loop.
private final class UpgradeChannel: Channel {
  private let post: AsyncStream<UpgradeMessage>.Continuation
  private let ended: () -> Void

  init(
    _ socket: consuming Socket, on loop: Loop,
    _ post: AsyncStream<UpgradeMessage>.Continuation, ended: @escaping () -> Void
  ) {
    self.post = post
    self.ended = ended
    super.init(socket, on: loop)
    // Inherited by the next process as well, where this one is replaced in turn.
    isShared = true
  }

  override func readable() {
    while !isClosed {
      var bytes: [UInt8] = []
      switch loop.receive(self, { bytes.append(copying: $0) }) {
      case .bytes: if let message = UpgradeMessage(json: bytes) { post.yield(message) }
      case .wouldBlock: return
      case .closed, .failed: loop.close(self)
      }
    }
  }

  override func closed() {
    ended()
    post.finish()
  }
}
