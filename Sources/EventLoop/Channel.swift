import CLinux

/// Names a channel of one loop: a stale name is recognised and finds nothing.
package struct ChannelID: Hashable, Sendable {
  package let raw: UInt64

  init(slot: Int, generation: UInt32) { raw = UInt64(generation) << 32 | UInt64(slot) }
  init(raw: UInt64) { self.raw = raw }

  var slot: Int { Int(raw & 0xffff_ffff) }
  var generation: UInt32 { UInt32(raw >> 32) }
}

/// One descriptor on one loop, for as long as it is open; subclasses say what happens.
///
/// Readiness is edge-triggered: after `readable()` the channel either reads until the socket has
/// no more, or calls `loop.again(self)` to be resumed in the next turn, after the others.
/// A channel is closed with `loop.close(_:)`, also from inside its own methods; the object lives on
/// until the turn has ended.
@safe
open class Channel {
  /// The open descriptor; -1 once closed.
  package final var descriptor: Int32 { socket }
  /// The channel's name on its loop once added.
  package final var id: ChannelID { name }

  // What only this module sees is not checked for overlapping uses at each of them (see
  // `TLSSession`).
  final var socket: Int32
  final var name = ChannelID(raw: .max)
  // A loop closes its channels before it ends, so it outlives them; counting would cost each event.
  private final unowned(unsafe) let owner: Loop
  /// The peer has ended or reset its side: a short read is then not the last, the end itself
  /// still has to be read, and no further event will say so.
  package internal(set) final var hasHungUp = false
  /// Whether another process may have the same socket: closing it here is then not enough for the
  /// kernel to forget that this loop watches it.
  package final var isShared = false
  final var deadline: MonotonicTime?
  final var deadlineTimer: TimerID?
  final var isQueuedAgain = false
  final var isQueuedForFlush = false

  /// Takes over a descriptor; the loop starts to watch it when the channel is added.
  package init(_ socket: consuming Socket, on loop: Loop) {
    self.socket = socket.release()
    unsafe owner = loop
  }

  deinit { if descriptor >= 0 { Socket(owning: descriptor).end() } }

  /// The loop it lives on.
  package final var loop: Loop { unsafe owner }

  /// Lets the kernel gather this many bytes before it says that the socket is readable.
  ///
  /// What is there can still be read at any time; an end or a reset is told at once.
  package final func setReceiveLowWater(_ bytes: Int) {
    var value = Int32(clamping: bytes)
    let size = socklen_t(MemoryLayout<Int32>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &value, size)
  }

  package final var isClosed: Bool { descriptor < 0 }

  /// Bytes can be read, or the peer has closed or reset: a read tells which.
  open func readable() {}

  /// The socket takes bytes again (or is connected).
  open func writable() {}

  /// The turn after `loop.again(self)` has come.
  open func resume() { readable() }

  /// The turn in which `loop.flushLater(self)` was called has handled all its events.
  open func flush() {}

  /// The deadline set with `loop.setDeadline` has passed.
  open func timedOut() {}

  /// The loop has closed the descriptor; nothing is called any more after this.
  open func closed() {}
}

extension Socket {
  consuming func end() {}
}
