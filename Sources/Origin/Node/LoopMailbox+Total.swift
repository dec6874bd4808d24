package import EventLoop

extension [LoopMailbox] {
  /// Asks every loop for a number, one after the other, and adds them up; a loop that has ended has
  /// none.
  package func total(_ work: @escaping @Sendable (Loop) -> Int) async -> Int {
    var total = 0
    for loop in self { total += (try? await loop.run(work)) ?? 0 }
    return total
  }
}
