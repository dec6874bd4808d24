import Bytes
import TLS

// What is put before the socket: plaintext, sealed where there is a TLS session.
extension Connection {
  /// Plaintext that can be taken now.
  var room: Int {
    guard overflow.isEmpty else { return 0 }
    if let tls { return tls.writeRoom }
    return max(0, LoopServer.gatherBytes - outbox.count)
  }

  /// Queues plaintext; there is room for it, unless a head is larger than that: it waits then.
  func write(_ bytes: borrowing Span<UInt8>) {
    guard bytes.count > 0 else { return }
    if let tls {
      guard overflow.isEmpty else { return overflow.append(copying: bytes) }
      guard let sealed = seal(bytes, tls) else { return finish(.tls) }
      if sealed < bytes.count { overflow.append(copying: bytes.extracting(droppingFirst: sealed)) }
    } else {
      if outbox.isEmpty { outbox = server.takeBuffer() }
      outbox.append(copying: bytes)
    }
  }

  /// Has a session take what it has room for; nil where it takes nothing any more.
  private func seal(_ bytes: borrowing Span<UInt8>, _ tls: TLSSession) -> Int? {
    var offset = 0
    while offset < bytes.count {
      // One record a call, as a rule.
      switch tls.write(bytes.extracting(droppingFirst: offset)) {
      case .done(let count) where count > 0: offset += count
      case .done, .wantWrite: return offset
      case .wantRead, .closed: return nil
      }
    }
    return offset
  }

  /// Queues what there was no room for; returns whether there was any.
  func queueOverflow() -> Bool {
    guard !overflow.isEmpty, let tls else { return false }
    var rest: [UInt8] = []
    swap(&rest, &overflow)
    if let sealed = seal(rest.span, tls) {
      overflow = Array(rest[sealed...])
    } else {
      finish(.tls)
    }
    return true
  }

  /// Queues one record's plaintext in two pieces; there is room for it.
  func write(_ head: borrowing Span<UInt8>, _ body: borrowing Span<UInt8>) {
    guard body.count > 0, let tls else {
      write(head)
      return write(body)
    }
    if case .done = tls.write(head: head, body: body) { return }
    finish(.tls)
  }
}
