/// What single keys can't tell: values that contradict each other, files that aren't there.
struct ConfigurationConsistency {
  let configuration: NodeConfiguration
  /// Where each key that was given stands.
  let places: [String: ConfigurationFault.Place]

  func faults() -> [ConfigurationFault] {
    pairs() + times() + ports() + files()
  }

  private func fault(_ key: String, _ problem: String) -> ConfigurationFault {
    ConfigurationFault(place: places[key] ?? .standard, key: key, problem: problem)
  }

  private func pairs() -> [ConfigurationFault] {
    var faults: [ConfigurationFault] = []
    let tls = configuration.tls
    if tls.certificate != nil, tls.key == nil {
      faults.append(fault("tls.certificate", "needs tls.key beside it"))
    }
    if tls.key != nil, tls.certificate == nil {
      faults.append(fault("tls.key", "needs tls.certificate beside it"))
    }
    if configuration.auth.secret != nil, configuration.auth.secretFile != nil {
      faults.append(fault("auth.secret_file", "auth.secret is given too; give one of them"))
    }
    return faults
  }

  private func times() -> [ConfigurationFault] {
    var faults: [ConfigurationFault] = []
    let streams = configuration.streams
    if streams.window < streams.fragment * 6 {
      let least = DurationText.format(streams.fragment * 6)
      faults.append(
        fault(
          places["streams.window"] == nil ? "streams.fragment" : "streams.window",
          "a window has at least 6 fragments: streams.window must be \(least) or more"))
    }
    if (1..<(64 << 20)).contains(streams.memory) {
      faults.append(fault("streams.memory", "must be 64m or more: a segment may be that large"))
    }
    if configuration.rtmp.maxBuffered < configuration.rtmp.maxMessage {
      faults.append(fault("rtmp.max_buffered", "must not be less than rtmp.max_message"))
    }
    if configuration.rtmp.silence <= configuration.rtmp.ping {
      faults.append(fault("rtmp.silence", "must be more than rtmp.ping"))
    }
    return faults
  }

  private func ports() -> [ConfigurationFault] {
    let listen = configuration.listen
    let all = [
      ("listen.rtmp", listen.rtmp), ("listen.rtmps", listen.rtmps), ("listen.https", listen.https),
      ("listen.http", listen.http), ("listen.admin", listen.admin),
    ]
    var faults: [ConfigurationFault] = []
    for (index, (name, endpoint)) in all.enumerated() {
      guard case .on(let host, let port) = endpoint, port != 0 else { continue }
      for (other, taken) in all[..<index] {
        guard case .on(let otherHost, port) = taken else { continue }
        guard host == nil || otherHost == nil || host == otherHost else { continue }
        // The one that was given is at fault, not the default that it hit.
        let blamed = places[name] != nil ? name : other
        let second = blamed == name ? other : name
        faults.append(fault(blamed, "port \(port) is that of \(second) too"))
      }
    }
    if all.allSatisfy({ $0.1 == .off }) {
      faults.append(fault("listen.rtmp", "every port is off: nothing would be left to do"))
    }
    return faults
  }

  /// Files that are named and can't be read.
  func files() -> [ConfigurationFault] {
    var faults: [ConfigurationFault] = []
    for key in ConfigurationTable.keys where key.isFile {
      guard let path = key.format(configuration) else { continue }
      if let problem = ReadableFile.problem(path) {
        faults.append(fault(key.path, "\(path): \(problem)"))
      }
    }
    if let jwks = configuration.auth.jwks, !ConfigurationRules.isWebAddress(jwks),
      let problem = ReadableFile.problem(jwks)
    {
      faults.append(fault("auth.jwks", "\(jwks): \(problem)"))
    }
    return faults
  }
}
