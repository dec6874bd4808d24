/// Waits until something is so that no event tells of; ends with the test's time limit.
func wait(until condition: () async throws -> Bool) async throws {
  while try await !condition() {
    try Task.checkCancellation()
    await Task.yield()
  }
}
