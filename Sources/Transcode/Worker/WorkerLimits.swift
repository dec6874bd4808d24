/// What a worker may use.
package struct WorkerLimits: Equatable, Sendable {
  /// Of address space; 0 is no limit.
  ///
  /// A publish worker at 720p has 255 MB of it, of which 67 MB are in memory.
  package var memoryBytes: UInt64 = 2 << 30
  /// 0...19; above 0, the node's own threads are served first.
  package var niceness = 5
  /// What may wait in the socket: about how far a worker runs ahead of its parent.
  package var bufferBytes: CInt = 64 << 10

  /// How long a file that it writes may become; 0 lets it write none.
  package var fileBytes: UInt64 = 0

  package init() {}

  /// The words that the child needs; `WorkerArguments.limits()` reads them.
  var arguments: [String] {
    [
      "memory=\(memoryBytes)", "nice=\(niceness)", "file-size=\(fileBytes)",
    ]
  }
}
