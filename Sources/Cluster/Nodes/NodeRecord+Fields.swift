/// A record as the names and values of a hash.
extension NodeRecord {
  /// The names, in the order in which they are sealed.
  static let names = [
    "id", "role", "region", "http", "rtmp", "rtmps", "https", "admin", "version", "state", "cpu",
    "memory", "publishers", "viewers", "bitrate_in", "bitrate_out", "headroom", "capacity",
    "incarnation", "started", "uptime_ms", "beat",
  ]
  /// The name of the seal, which stands beside them.
  static let sealName = "seal"
  /// The names of the condition and its seal; what older nodes write has neither.
  static let conditionName = "condition"
  static let conditionSealName = "condition_seal"
  /// How long a value may be; Redis isn't asked for one longer than a condition may be.
  static let longestValue = 512

  /// The values in the order of `names`; an empty one stands for none.
  var values: [String] {
    [
      id.text, role.rawValue, region, addresses.http, addresses.rtmp ?? "", addresses.rtmps ?? "",
      addresses.https ?? "", addresses.admin ?? "", version, state.rawValue, "\(load.cpu)",
      "\(load.memory)", "\(load.publishers)", "\(load.viewers)", "\(load.bitrateIn)",
      "\(load.bitrateOut)", "\(load.headroom)", "\(load.capacity)", incarnation, "\(started)",
      "\(Int64(uptime / .milliseconds(1)))", "\(beat)",
    ]
  }

  /// Reads values from Redis, where anybody may have written them; nil where one is no such value.
  ///
  /// - Parameters:
  ///   - values: in the order of `names`.
  ///   - expected: whose record it must be: that of the key.
  init?(values: [String], of expected: NodeID) {
    guard values.count == Self.names.count, values[0] == expected.text,
      values.allSatisfy({ $0.utf8.count <= Self.longestValue }),
      let role = NodeRole(rawValue: values[1]), let state = NodeState(rawValue: values[9]),
      NameRule.allows(values[18], longest: 64)
    else { return nil }
    func optional(_ text: String) -> String? { text.isEmpty ? nil : text }
    let addresses = NodeAddresses(
      http: values[3], rtmp: optional(values[4]), rtmps: optional(values[5]),
      https: optional(values[6]), admin: optional(values[7]))
    self.init(
      id: expected, role: role, region: values[2], addresses: addresses, version: values[8],
      incarnation: values[18])
    self.state = state
    guard let cpu = Double(values[10]), let memory = Int64(values[11]),
      let publishers = Int(values[12]), let viewers = Int(values[13]),
      let bitrateIn = Int64(values[14]), let bitrateOut = Int64(values[15]),
      let headroom = Double(values[16]), let capacity = Int(values[17]),
      let started = Int64(values[19]), let uptime = Int64(values[20]),
      let beat = Int64(values[21]), (0...Self.longestUptime).contains(uptime), beat >= 0
    else { return nil }
    load.cpu = cpu
    load.memory = memory
    load.publishers = publishers
    load.viewers = viewers
    load.bitrateIn = bitrateIn
    load.bitrateOut = bitrateOut
    load.headroom = headroom
    load.capacity = capacity
    self.started = started
    self.uptime = .milliseconds(uptime)
    self.beat = beat
    if problem != nil { return nil }
  }

  /// 100 years, in milliseconds.
  private static let longestUptime: Int64 = 100 * 366 * 86_400_000
}
