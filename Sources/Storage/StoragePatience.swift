/// How long a storage on the network is waited for.
package struct StoragePatience: Equatable, Sendable {
  /// For an answer to a call without much of a body.
  package var timeout: Duration = .seconds(30)
  /// For the answer to a call that the storage itself has long to do: putting thousands of parts
  /// together, during which it says nothing, or next to nothing.
  package var completion: Duration = .seconds(600)
  /// An upload or a download in which hardly anything moves for so long has failed.
  package var stall: Duration = .seconds(30)
  /// How long one part may take, however it moves.
  package var transfer: Duration = .seconds(3_600)
  /// How often a call is tried in all before it fails; then whoever called waits for longer.
  package var attempts = 4
  /// Between the first two tries; doubled for each further one.
  package var pause: Duration = .milliseconds(500)

  package init() {}
}
