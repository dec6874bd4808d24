/// A wedding's cameras that have something to show in a process, as that tells one before it, which
/// has the wedding's program.
package struct LaterCameras: Codable, Equatable, Sendable {
  /// The process that has them.
  package var process: Int32
  package var live: [String]

  package init(process: Int32, live: [String]) {
    self.process = process
    self.live = live
  }
}
