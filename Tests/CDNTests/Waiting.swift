/// Waits until something is so that no event tells of; ends with the test's time limit.
func wait(until condition: () async throws -> Bool) async throws {
  while try await !condition() {
    try Task.checkCancellation()
    // Others share this machine: asking is not for free.
    try await Task.sleep(for: .milliseconds(5))
  }
}
