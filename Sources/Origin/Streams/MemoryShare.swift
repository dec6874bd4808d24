/// What one stream takes of the memory of all; it goes back with the stream.
struct MemoryShare: ~Copyable {
  private let memory: StreamMemory
  private var heldBytes = 0
  /// The last publisher was ended because the stream took too much.
  private var wasTooLarge = false

  init(_ memory: StreamMemory) { self.memory = memory }

  deinit { memory.changed(from: heldBytes, to: 0) }

  /// The stream holds so much now.
  mutating func hold(_ bytes: Int) {
    guard bytes != heldBytes else { return }
    memory.changed(from: heldBytes, to: bytes)
    heldBytes = bytes
  }

  /// How many bytes the stream should let go of.
  var surplus: Int { memory.surplus(of: heldBytes) }

  /// By how much all streams hold more than they may together.
  var excess: Int { memory.excess }

  /// Counts segments that were let go of before their time.
  func noteShortened(_ count: Int) { memory.noteShortened(count) }

  /// Whether the stream, as short as it may be, must end.
  ///
  /// - Parameter now: milliseconds of a clock that never goes back.
  /// - Returns: true where its publisher is to be told; that is remembered.
  mutating func mustEnd(now: Int64) -> Bool {
    guard memory.mustEnd(heldBytes, now: now) else { return false }
    wasTooLarge = true
    return true
  }

  /// Whether a publisher may go on in the stream: not while there is no room for others, where the
  /// last one was ended to make some.
  mutating func admits() -> Bool {
    guard wasTooLarge else { return true }
    wasTooLarge = !memory.admit()
    return !wasTooLarge
  }
}
