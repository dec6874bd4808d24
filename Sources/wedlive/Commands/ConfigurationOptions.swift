import ArgumentParser
import Foundation

/// The options by which a node's configuration is given.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The YAML file with the node's configuration.",
      discussion:
        "Without it: the path in WEDLIVE_CONFIG; without that, everything is at its default.",
      valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("The folder for what survives a restart.", valueName: "folder"))
  var data: String?

  @Option(help: ArgumentHelp("Where RTMP listens: port, host:port or off.", valueName: "endpoint"))
  var rtmp: String?

  @Option(help: ArgumentHelp("Where RTMPS listens.", valueName: "endpoint"))
  var rtmps: String?

  @Option(help: ArgumentHelp("Where HTTPS listens.", valueName: "endpoint"))
  var https: String?

  @Option(help: ArgumentHelp("Where HTTP listens.", valueName: "endpoint"))
  var http: String?

  @Option(help: ArgumentHelp("Where the status page listens.", valueName: "endpoint"))
  var admin: String?

  @Option(help: ArgumentHelp("The host by which clients reach the node.", valueName: "host"))
  var advertise: String?

  @Option(help: ArgumentHelp("The form of log lines: json or text.", valueName: "format"))
  var log: String?

  @Option(help: ArgumentHelp("The least level that is logged.", valueName: "level"))
  var logLevel: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any key of the configuration.", valueName: "key=value"))
  var settings: [String] = []

  init() {}

  /// What was given on the command line, by key.
  func flags() throws(ConfigurationFaults) -> [ConfigurationLoader.Flag] {
    let named: [(String, String, String?)] = [
      ("--data", "data.path", data), ("--rtmp", "listen.rtmp", rtmp),
      ("--rtmps", "listen.rtmps", rtmps), ("--https", "listen.https", https),
      ("--http", "listen.http", http), ("--admin", "listen.admin", admin),
      ("--advertise", "node.advertise", advertise), ("--log", "log.format", log),
      ("--log-level", "log.level", logLevel),
    ]
    var flags: [ConfigurationLoader.Flag] = []
    for case (let name, let key, let value?) in named {
      flags.append(.init(name: name, key: key, value: value))
    }
    for setting in settings {
      guard let equals = setting.firstIndex(of: "=") else {
        throw ConfigurationFaults(faults: [
          ConfigurationFault(
            place: .flag("--set"), key: setting, problem: "expected KEY=VALUE")
        ])
      }
      let key = String(setting[..<equals])
      flags.append(
        .init(name: "--set", key: key, value: String(setting[equals...].dropFirst())))
    }
    return flags
  }

  /// The loader for these options and the process's environment.
  func loader() throws(ConfigurationFaults) -> ConfigurationLoader {
    let environment = ProcessInfo.processInfo.environment
    let named = environment["WEDLIVE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    return ConfigurationLoader(
      file: config ?? named, environment: environment, flags: try flags())
  }

  /// Reads the configuration, or tells all that is wrong with it and ends the program.
  func load() throws -> NodeConfiguration { try read().configuration }

  /// The same, with where each key stands.
  func read() throws -> ConfigurationReading {
    do throws(ConfigurationFaults) {
      let reading = try loader().read()
      guard reading.faults.isEmpty else { throw ConfigurationFaults(faults: reading.faults) }
      return reading
    } catch {
      throw CommandFailure(error.faults.map(\.description))
    }
  }
}
