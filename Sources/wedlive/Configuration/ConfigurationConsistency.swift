import Access
import Transcode

/// What single keys can't tell: values that contradict each other, files that aren't there.
///
/// A rule is passed over where one of its keys is at fault itself.
struct ConfigurationConsistency {
  let reading: ConfigurationReading
  private var configuration: NodeConfiguration { reading.configuration }

  init(_ reading: ConfigurationReading) { self.reading = reading }

  func faults() -> [ConfigurationFault] {
    pairs() + times() + ports() + files() + encoder()
      + StorageConsistency(reading: reading).faults() + CDNConsistency(reading: reading).faults()
      + ClusterConsistency(reading: reading).faults()
  }

  private func pairs() -> [ConfigurationFault] {
    var faults: [ConfigurationFault] = []
    let tls = configuration.tls
    if reading.isSound("tls.certificate", "tls.key") {
      if tls.certificate != nil, tls.key == nil {
        faults.append(reading.fault("tls.certificate", "needs tls.key beside it"))
      }
      if tls.key != nil, tls.certificate == nil {
        faults.append(reading.fault("tls.key", "needs tls.certificate beside it"))
      }
    }
    if configuration.auth.secret != nil, configuration.auth.secretFile != nil {
      faults.append(
        reading.fault("auth.secret_file", "auth.secret is given too; give one of them"))
    }
    return faults
  }

  private func times() -> [ConfigurationFault] {
    var faults: [ConfigurationFault] = []
    let streams = configuration.streams
    let rtmp = configuration.rtmp
    if streams.window < streams.fragment * 6,
      reading.isSound("streams.window", "streams.fragment")
    {
      let least = DurationText.format(streams.fragment * 6)
      faults.append(
        reading.fault(
          reading.places["streams.window"] == nil ? "streams.fragment" : "streams.window",
          "a window has at least 6 fragments: streams.window must be \(least) or more"))
    }
    if (1..<(64 << 20)).contains(streams.memory) {
      faults.append(
        reading.fault("streams.memory", "must be 64m or more: a segment may be that large"))
    }
    if rtmp.maxBuffered < rtmp.maxMessage, reading.isSound("rtmp.max_buffered", "rtmp.max_message")
    {
      faults.append(reading.fault("rtmp.max_buffered", "must not be less than rtmp.max_message"))
    }
    if rtmp.silence <= rtmp.ping, reading.isSound("rtmp.silence", "rtmp.ping") {
      faults.append(reading.fault("rtmp.silence", "must be more than rtmp.ping"))
    }
    return faults
  }

  private func ports() -> [ConfigurationFault] {
    let listen = configuration.listen
    let all = [
      ("listen.rtmp", listen.rtmp), ("listen.rtmps", listen.rtmps), ("listen.https", listen.https),
      ("listen.http", listen.http), ("listen.admin", listen.admin),
      ("listen.peers", listen.peers), ("listen.peers_rtmps", listen.peersRTMPS),
    ]
    let sound = all.filter { reading.isSound($0.0) }
    var faults: [ConfigurationFault] = []
    for (index, (name, endpoint)) in sound.enumerated() {
      guard case .on(let host, let port) = endpoint, port != 0 else { continue }
      for (other, taken) in sound[..<index] {
        guard case .on(let otherHost, port) = taken else { continue }
        guard host == nil || otherHost == nil || host == otherHost else { continue }
        // The one that was given is at fault, not the default that it hit.
        let blamed = reading.places[name] != nil ? name : other
        let second = blamed == name ? other : name
        faults.append(reading.fault(blamed, "port \(port) is that of \(second) too"))
      }
    }
    if sound.count == all.count, all.allSatisfy({ $0.0.hasPrefix("listen.peers") || $0.1 == .off })
    {
      faults.append(
        reading.fault("listen.rtmp", "every port is off: nothing would be left to do"))
    }
    return faults
  }

  /// Files that are named and can't be read.
  private func files() -> [ConfigurationFault] {
    var faults: [ConfigurationFault] = []
    for key in ConfigurationTable.keys where key.isFile {
      guard let path = key.format(configuration) else { continue }
      // The certificate is read again and again.
      let isRegular =
        key.path.hasPrefix("tls.") || key.path.hasPrefix("cluster.c")
        || key.path == "cluster.key"
      if let problem = ReadableFile.problem(path, isRegular: isRegular) {
        faults.append(reading.fault(key.path, "\(path): \(problem)"))
      }
    }
    if let jwks = configuration.auth.jwks, let problem = Self.problem(ofKeySet: jwks) {
      let place = KeySetSource.Place.words(for: jwks)
      faults.append(reading.fault("auth.jwks", "\(place): \(problem)"))
    }
    return faults
  }

  private static func problem(ofKeySet text: String) -> String? {
    do throws(KeyError) {
      switch try KeySetSource.Place(text) {
      case .file(let path): return ReadableFile.problem(path, isRegular: true)
      case .url: return ConfigurationRules.isWebAddress(text) ? nil : "is no address"
      }
    } catch {
      return "\(error)"
    }
  }

  /// An encoder that no worker could use.
  private func encoder() -> [ConfigurationFault] {
    let transcode = configuration.transcode
    guard transcode.enabled,
      reading.isSound("transcode.encoder", "transcode.preset", "transcode.tune"),
      let (part, words) = EncoderCheck.problem(
        encoder: transcode.encoder, preset: transcode.preset, tune: transcode.tune)
    else { return [] }
    let (key, value) =
      switch part {
      case .encoder: ("transcode.encoder", transcode.encoder)
      case .preset: ("transcode.preset", transcode.preset)
      case .tune: ("transcode.tune", transcode.tune)
      }
    return [reading.fault(key, "\(value): \(words)")]
  }
}
