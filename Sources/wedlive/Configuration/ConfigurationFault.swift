/// One thing that is wrong with a configuration, said so that it can be mended.
struct ConfigurationFault: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where the value stands.
  enum Place: Equatable, Sendable, CustomStringConvertible {
    case file(String, line: Int?)
    case environment(String)
    case flag(String)
    /// The default, which can only be wrong beside other values.
    case standard

    var description: String {
      switch self {
      case .file(let path, let line?): "\(path):\(line)"
      case .file(let path, nil): path
      case .environment(let name): "environment variable \(name)"
      case .flag(let name): "option \(name)"
      case .standard: "default"
      }
    }
  }

  let place: Place
  /// The key, or what stands in its place; empty for a file as a whole.
  let key: String
  let problem: String
  /// The name that may have been meant.
  var suggestion: String?

  var description: String {
    let subject = key.isEmpty ? "" : "\(key): "
    let hint = suggestion.map { "; did you mean \($0)?" } ?? ""
    return "\(place): \(subject)\(problem)\(hint)"
  }
}

/// All that is wrong with a configuration.
struct ConfigurationFaults: Error, Equatable, Sendable, CustomStringConvertible {
  let faults: [ConfigurationFault]

  var description: String { faults.map(\.description).joined(separator: "\n") }
}
