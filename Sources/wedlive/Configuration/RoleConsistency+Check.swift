import Cluster

// What `check --role` says of a file, as faults.
extension RoleConsistency {
  /// What keeps a node of a role from starting, each where it stands: at its key, or at one that
  /// has it matter, or in the file as a whole, which lacks it.
  ///
  /// - Parameters:
  ///   - reading: of a file.
  ///   - role: of the node that is to be started with it.
  ///   - file: its path.
  /// - Returns: none that is found by a key at fault: a default that stands in for it says nothing.
  static func faults(
    _ reading: ConfigurationReading, _ role: NodeRole, file: String
  ) -> [ConfigurationFault] {
    let configuration = role == .edge ? reading.configuration.forEdge : reading.configuration
    return problems(configuration, role).filter { reading.areSound($0.reads) }.map { problem in
      let place = ([problem.key] + problem.causes).lazy.compactMap { reading.places[$0] }.first
      return ConfigurationFault(
        place: place ?? .file(file, line: nil), key: problem.key, problem: problem.words)
    }
  }
}
