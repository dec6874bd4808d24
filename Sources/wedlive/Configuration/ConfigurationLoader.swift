import Configuration
import Foundation
import Yams

/// Reads the configuration of a node: options over environment over file over defaults.
struct ConfigurationLoader: Sendable {
  /// A value given on the command line.
  struct Flag: Equatable, Sendable {
    /// As it is written, such as `--data`.
    let name: String
    /// The path of the key that it sets.
    let key: String
    let value: String
  }

  /// The path of the YAML file; nil for none.
  var file: String?
  /// The process's environment.
  var environment: [String: String]
  var flags: [Flag]

  init(
    file: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
    flags: [Flag] = []
  ) {
    self.file = file
    self.environment = environment
    self.flags = flags
  }

  /// Variables with our prefix that aren't keys.
  static let otherVariables: Set<String> = ["WEDLIVE_CONFIG"]

  /// Reads everything.
  ///
  /// - Throws: all faults at once; no value is used then.
  func load() throws(ConfigurationFaults) -> NodeConfiguration {
    let (configuration, faults) = check()
    guard faults.isEmpty else { throw ConfigurationFaults(faults: faults) }
    return configuration
  }

  /// Reads everything and tells all faults; keys at fault keep their defaults.
  func check() -> (NodeConfiguration, [ConfigurationFault]) {
    let reading = read()
    return (reading.configuration, reading.faults)
  }

  /// Reads everything, with the faults of single keys and those of keys beside each other.
  func read() -> ConfigurationReading {
    var faults: [ConfigurationFault] = []
    var reading = ConfigurationReading()
    let flags = flagSource(&faults)
    let environment = environmentSource(&faults)
    let before = faults.count
    let file = fileSource(&faults)
    reading.isFileLost = file == nil && faults.count > before
    for key in ConfigurationTable.keys {
      // The first source that has the key decides, even where its value is at fault.
      for source in [flags, environment, file].compactMap(\.self) {
        guard let found = Self.value(of: key, in: source) else { continue }
        let place = source.place(key)
        reading.places[key.path] = place
        switch found {
        case .failure(let unfit):
          faults.append(Self.fault(key, place, value: nil, unfit))
        case .success(let text):
          do throws(ConfigurationKey.Unfit) {
            try key.apply(text, &reading.configuration)
          } catch {
            faults.append(Self.fault(key, place, value: text, error))
          }
        }
        break
      }
    }
    reading.add(faults)
    reading.add(ConfigurationConsistency(reading).faults())
    return reading
  }

  private static func fault(
    _ key: ConfigurationKey, _ place: ConfigurationFault.Place, value: String?,
    _ unfit: ConfigurationKey.Unfit
  ) -> ConfigurationFault {
    let shown = key.isSecret ? "the value is unfit" : value.map { "\"\($0)\" is unfit" }
    let problem = [shown, "expected \(unfit.expected)"].compactMap(\.self).joined(separator: "; ")
    return ConfigurationFault(place: place, key: key.path, problem: problem)
  }
}

extension ConfigurationLoader {
  /// Where values come from, in swift-configuration's terms.
  private struct Source {
    let snapshot: any ConfigSnapshot
    let prefix: [String]
    let place: (ConfigurationKey) -> ConfigurationFault.Place
  }

  /// The text of a key's value in a source; nil where it has none.
  private static func value(
    of key: ConfigurationKey, in source: Source
  ) -> Result<String, ConfigurationKey.Unfit>? {
    let name = AbsoluteConfigKey(source.prefix + key.components)
    if key.isList, case .stringArray(let elements)? = content(name, .stringArray, source) {
      return .success(elements.joined(separator: ","))
    }
    do {
      guard let value = try source.snapshot.value(forKey: name, type: .string).value else {
        return nil
      }
      guard case .string(let text) = value.content else {
        return .failure(ConfigurationKey.Unfit(expected: key.takes))
      }
      return .success(text.trimmingSpaces())
    } catch {
      return .failure(ConfigurationKey.Unfit(expected: "\(key.takes), not a list"))
    }
  }

  private static func content(
    _ name: AbsoluteConfigKey, _ type: ConfigType, _ source: Source
  ) -> ConfigContent? {
    try? source.snapshot.value(forKey: name, type: type).value?.content
  }

  private func flagSource(_ faults: inout [ConfigurationFault]) -> Source? {
    var values: [AbsoluteConfigKey: ConfigValue] = [:]
    var names: [String: String] = [:]
    for flag in flags {
      guard let key = ConfigurationTable.key(flag.key) else {
        faults.append(
          ConfigurationFault(
            place: .flag(flag.name), key: flag.key, problem: "no such key",
            suggestion: NearestName.of(flag.key, among: ConfigurationTable.keys.map(\.path))))
        continue
      }
      values[AbsoluteConfigKey(key.components)] = ConfigValue(
        .string(flag.value), isSecret: key.isSecret)
      names[key.path] = flag.name
    }
    guard !values.isEmpty else { return nil }
    return Source(
      snapshot: InMemoryProvider(name: "options", values: values).snapshot(), prefix: [],
      place: { .flag(names[$0.path] ?? $0.path) })
  }

  private func environmentSource(_ faults: inout [ConfigurationFault]) -> Source? {
    // An empty variable is an unset one: compose files pass `${NAME:-}` on.
    let own = environment.filter {
      $0.key.hasPrefix(ConfigurationKey.environmentPrefix) && !$0.value.isEmpty
        && !Self.otherVariables.contains($0.key)
    }
    let known = Set(ConfigurationTable.keys.map(\.environmentName))
    for name in own.keys.sorted() where !known.contains(name) {
      faults.append(
        ConfigurationFault(
          place: .environment(name), key: "", problem: "no such key",
          suggestion: NearestName.of(name, among: known.sorted())))
    }
    guard !own.isEmpty else { return nil }
    let secrets = Set(ConfigurationTable.keys.filter(\.isSecret).map(\.environmentName))
    let provider = EnvironmentVariablesProvider(
      environmentVariables: own, secretsSpecifier: .specific(secrets))
    return Source(
      snapshot: provider.snapshot(), prefix: ["wedlive"],
      place: { .environment($0.environmentName) })
  }

  private func fileSource(_ faults: inout [ConfigurationFault]) -> Source? {
    guard let file else { return nil }
    func fault(_ problem: String, line: Int? = nil) {
      faults.append(
        ConfigurationFault(place: .file(file, line: line), key: "", problem: problem))
    }
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(filePath: file))
    } catch {
      fault(ReadableFile.problem(file) ?? "can't be read")
      return nil
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      fault("isn't UTF-8 text")
      return nil
    }
    do {
      let outline = try ConfigurationOutline(yaml: text)
      if outline.isEmpty { return nil }
      let before = faults.count
      faults += ConfigurationShape(file: file, outline: outline).faults()
      let isReadable = !outline.entries.contains { $0.shape == .other }
      guard isReadable || faults.count == before else { return nil }
      let snapshot = unsafe try YAMLSnapshot(
        data: [UInt8](bytes).span.bytes, providerName: file, parsingOptions: .default)
      let lines = Dictionary(
        outline.entries.map { ($0.path, $0.line) }, uniquingKeysWith: { first, _ in first })
      let skipped = Set(
        outline.entries.filter { entry in
          let isListed = ConfigurationTable.key(entry.path)?.isList == true
          return entry.shape != .scalar && !(entry.shape == .list && isListed)
        }.map(\.path))
      return Source(
        snapshot: PartialSnapshot(inner: snapshot, without: skipped), prefix: [],
        place: { .file(file, line: lines[$0.path] ?? nil) })
    } catch let error as ConfigurationOutline.NotAMapping {
      fault("expected sections of keys, such as \"listen:\"", line: error.line)
    } catch let error as YamlError {
      let (problem, line) = YAMLProblem.describe(error)
      fault(problem, line: line)
    } catch {
      fault("can't be read as YAML: \(error)")
    }
    return nil
  }
}

/// A snapshot that hides the keys whose shape has been reported already.
private struct PartialSnapshot: ConfigSnapshot {
  let inner: YAMLSnapshot
  let without: Set<String>

  var providerName: String { inner.providerName }

  func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
    let path = key.components.joined(separator: ".")
    if without.contains(path) { return LookupResult(encodedKey: path, value: nil) }
    return try inner.value(forKey: key, type: type)
  }
}
