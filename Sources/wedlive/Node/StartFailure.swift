/// Why a node does not start: one line that names the thing.
struct StartFailure: Error, Equatable, Sendable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
