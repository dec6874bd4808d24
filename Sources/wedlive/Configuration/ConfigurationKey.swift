/// One key of the configuration: its name, what it takes, its bounds and what it means.
struct ConfigurationKey: Sendable {
  /// Why a text isn't a value of the key: what was expected, in words that follow "expected".
  struct Unfit: Error, Equatable {
    let expected: String
  }

  typealias Path<Value> = any WritableKeyPath<NodeConfiguration, Value> & Sendable

  /// The path in the file, such as `listen.https`.
  let path: String
  /// What it takes, for people: "a duration from 1s to 30s".
  let takes: String
  /// What it means, in one sentence.
  let summary: String
  /// Whether the value is never shown.
  let isSecret: Bool
  /// Whether it is a list: a sequence in the file, separated by commas in the environment.
  let isList: Bool
  /// Whether it names a file that has to be readable.
  let isFile: Bool
  /// A value to show in the example where there is no default.
  let example: String?
  /// Reads a text into the configuration.
  let apply: @Sendable (String, inout NodeConfiguration) throws(Unfit) -> Void
  /// Writes the configuration's value as text; nil where there is none.
  let format: @Sendable (NodeConfiguration) -> String?

  /// The parts of the path.
  var components: [String] { path.split(separator: ".").map(String.init) }

  /// The environment variable: `WEDLIVE_LISTEN_HTTPS`.
  var environmentName: String {
    Self.environmentPrefix + components.joined(separator: "_").uppercased()
  }

  static let environmentPrefix = "WEDLIVE_"

  /// The default as text; nil where there is none.
  var standard: String? {
    guard let text = format(NodeConfiguration()), !text.isEmpty else { return nil }
    return text
  }
}

extension ConfigurationKey {
  /// A key whose value is read by `parse` (nil: unfit) and written by `write`.
  static func value<Value: Sendable>(
    _ path: String, _ target: Path<Value>, takes: String, _ summary: String,
    example: String? = nil, parse: @escaping @Sendable (String) -> Value?,
    write: @escaping @Sendable (Value) -> String
  ) -> ConfigurationKey {
    ConfigurationKey(
      path: path, takes: takes, summary: summary, isSecret: false, isList: false,
      isFile: false, example: example,
      apply: { text, configuration throws(Unfit) in
        guard let value = parse(text) else { throw Unfit(expected: takes) }
        configuration[keyPath: target] = value
      },
      format: { write($0[keyPath: target]) })
  }

  static func endpoint(
    _ path: String, _ target: Path<Endpoint>, alone host: String? = nil, _ summary: String
  ) -> ConfigurationKey {
    value(
      path, target, takes: "a port, host:port or off (port 0 takes a free one)", summary,
      parse: { Endpoint($0, alone: host) }, write: { $0.text(alone: host) })
  }

  static func duration(
    _ path: String, _ target: Path<Duration>, in bounds: ClosedRange<Duration>,
    _ summary: String
  ) -> ConfigurationKey {
    let low = DurationText.format(bounds.lowerBound)
    let high = DurationText.format(bounds.upperBound)
    return value(
      path, target, takes: "a duration from \(low) to \(high), such as 3s", summary,
      parse: { text in DurationText.parse(text).flatMap { bounds.contains($0) ? $0 : nil } },
      write: { DurationText.format($0) })
  }

  static func size(
    _ path: String, _ target: Path<Int>, in bounds: ClosedRange<Int>, _ summary: String
  ) -> ConfigurationKey {
    let low = SizeText.format(bounds.lowerBound)
    let high = SizeText.format(bounds.upperBound)
    return value(
      path, target, takes: "a size in bytes from \(low) to \(high), such as 16m", summary,
      parse: { text in SizeText.parse(text).flatMap { bounds.contains($0) ? $0 : nil } },
      write: { SizeText.format($0) })
  }

  static func count(
    _ path: String, _ target: Path<Int>, in bounds: ClosedRange<Int>, _ summary: String
  ) -> ConfigurationKey {
    value(
      path, target, takes: "a number from \(bounds.lowerBound) to \(bounds.upperBound)", summary,
      parse: { text in Int(text).flatMap { bounds.contains($0) ? $0 : nil } },
      write: { "\($0)" })
  }

  static func flag(
    _ path: String, _ target: Path<Bool>, _ summary: String
  ) -> ConfigurationKey {
    let words = ["true": true, "yes": true, "on": true, "false": false, "no": false, "off": false]
    return value(
      path, target, takes: "true or false", summary,
      parse: { words[$0.lowercased()] }, write: { "\($0)" })
  }

  static func choice<Value: CaseIterable & RawRepresentable & Sendable>(
    _ path: String, _ target: Path<Value>, _ summary: String
  ) -> ConfigurationKey where Value.RawValue == String {
    let words = Value.allCases.map(\.rawValue)
    let last = words.last ?? ""
    let takes = words.count > 1 ? words.dropLast().joined(separator: ", ") + " or \(last)" : last
    return value(
      path, target, takes: takes, summary,
      parse: { Value(rawValue: $0.lowercased()) }, write: { $0.rawValue })
  }

  static func text(
    _ path: String, _ target: Path<String>, takes: String = "a text", _ summary: String,
    where isFit: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }
  ) -> ConfigurationKey {
    value(
      path, target, takes: takes, summary,
      parse: { isFit($0) ? $0 : nil }, write: { $0 })
  }

  /// A key that may stay without a value.
  static func optional(
    _ path: String, _ target: Path<String?>, takes: String, example: String, _ summary: String,
    isSecret: Bool = false, isFile: Bool = false,
    where isFit: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }
  ) -> ConfigurationKey {
    ConfigurationKey(
      path: path, takes: takes, summary: summary, isSecret: isSecret, isList: false,
      isFile: isFile, example: example,
      apply: { text, configuration throws(Unfit) in
        guard isFit(text) else { throw Unfit(expected: takes) }
        configuration[keyPath: target] = text
      },
      format: { $0[keyPath: target] })
  }

  static func file(
    _ path: String, _ target: Path<String?>, example: String, _ summary: String
  ) -> ConfigurationKey {
    optional(path, target, takes: "the path of a file", example: example, summary, isFile: true)
  }

  static func address(
    _ path: String, _ target: Path<String?>, example: String, _ summary: String
  ) -> ConfigurationKey {
    optional(
      path, target, takes: "an http:// or https:// address", example: example, summary,
      where: ConfigurationRules.isWebAddress)
  }

  /// A list: each element must be fit.
  static func list(
    _ path: String, _ target: Path<[String]>, takes: String, example: String,
    _ summary: String, where isFit: @escaping @Sendable (String) -> Bool
  ) -> ConfigurationKey {
    ConfigurationKey(
      path: path, takes: takes, summary: summary, isSecret: false, isList: true, isFile: false,
      example: example,
      apply: { text, configuration throws(Unfit) in
        let elements = text.split(separator: ",").map { part in
          String(part).trimmingSpaces()
        }
        guard elements.allSatisfy(isFit) else { throw Unfit(expected: takes) }
        configuration[keyPath: target] = elements
      },
      format: { configuration in
        let elements = configuration[keyPath: target]
        return elements.isEmpty ? nil : elements.joined(separator: ",")
      })
  }
}

extension String {
  /// The text without the white space at its ends.
  func trimmingSpaces() -> String {
    let inner = drop(while: \.isWhitespace)
    let end = inner.lastIndex { !$0.isWhitespace }
    return end.map { String(inner[...$0]) } ?? ""
  }
}
