/// Waits that have an end.
enum Patience {
  /// Waits for something, and no longer than a while.
  ///
  /// - Parameters:
  ///   - limit: how long.
  ///   - work: returns soon after its task was cancelled.
  static func wait(atMost limit: Duration, for work: @escaping @Sendable () async -> Void) async {
    await withTaskGroup { group in
      group.addTask { await work() }
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }
}
