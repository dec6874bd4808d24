/// What was read of a configuration, and what is wrong with it as far as is known.
struct ConfigurationReading {
  /// Keys at fault stand at their defaults here.
  var configuration = NodeConfiguration()
  /// Where each key that was given stands.
  var places: [String: ConfigurationFault.Place] = [:]
  /// Whether there is a file, and no key of it could be read.
  var isFileLost = false
  private(set) var faults: [ConfigurationFault] = []
  /// Keys and sections at fault, and those that others at fault may have been meant to be.
  private var unfit: Set<String> = []

  mutating func add(_ more: [ConfigurationFault]) {
    faults += more
    for fault in more {
      unfit.insert(fault.key)
      if let suggestion = fault.suggestion { unfit.insert(suggestion) }
    }
  }

  /// Whether the values of all these keys are those that the operator wants: nothing can be said of
  /// a default that stands in for what couldn't be read.
  func isSound(_ keys: String...) -> Bool { areSound(keys) }

  /// The same of a list.
  func areSound(_ keys: [String]) -> Bool {
    keys.allSatisfy { path in
      guard let key = ConfigurationTable.key(path) else { return false }
      let section = String(path.prefix { $0 != "." })
      return !unfit.contains(path) && !unfit.contains(section)
        && !unfit.contains(key.environmentName) && (places[path] != nil || !isFileLost)
    }
  }

  /// A fault of a key, at the place where it was given.
  func fault(_ key: String, _ problem: String) -> ConfigurationFault {
    ConfigurationFault(place: places[key] ?? .standard, key: key, problem: problem)
  }
}
