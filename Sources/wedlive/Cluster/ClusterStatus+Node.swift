import Cluster
import EventLoop

extension ClusterStatus {
  /// One node of a cluster, as another sees it.
  struct Node: Codable, Equatable, Sendable {
    var id: String
    var role: String
    var region: String
    /// `usable`, `faulty`, `starting`, `draining`, `drained`, `suspect` or `down`.
    var status: String
    var version: String
    /// Where other nodes reach it.
    var address: String
    /// When there was a sign of life of it last, in whole seconds before this was said.
    var lastSeenSeconds: Int64?
    /// What it does; nil in all that it says while it is down, as nobody knows then.
    var uptimeSeconds: Int64?
    /// Who publishes at it; where it only hands connections on (`rtmp.proxy: tcp`), all of those.
    var publishers: Int?
    /// Who has asked for something of a stream within the last 15 seconds, at this node.
    var viewers: Int?
    var memoryBytes: Int64?
    /// What it receives from all who connect to it, and sends to them, in bits a second; nil where
    /// the node asked is of an older version, too.
    var bitsInPerSecond: Int64?
    var bitsOutPerSecond: Int64?
    /// What fails at it: it gets new streams only where no other origin is there.
    var fault: String?
    /// What should be known of it though nothing fails.
    var remark: String?
    /// Whether its `auth.secret` is another one than that of the node asked.
    var hasOtherSecret: Bool?
  }
}

extension ClusterStatus.Node {
  /// Makes the status of a node; one that isn't used has no figures, those that it said last are
  /// past.
  init(_ node: KnownNode, now: MonotonicTime, hasOtherSecret: Bool = false) {
    let record = node.record
    self.init(
      id: node.id.text, role: record.role.rawValue, region: record.region, status: node.status,
      version: record.version, address: record.addresses.http,
      lastSeenSeconds: max(0, (now - node.seen).components.seconds))
    self.hasOtherSecret = hasOtherSecret
    guard !node.isDown else { return }
    fault = node.fault
    remark = record.condition.remark
    uptimeSeconds = record.uptime.components.seconds
    publishers = record.load.publishers
    viewers = record.load.viewers
    memoryBytes = record.load.memory
    bitsInPerSecond = record.load.bitrateIn
    bitsOutPerSecond = record.load.bitrateOut
  }

  /// Whether new streams can be on it, be it as the last choice.
  var takesStreams: Bool {
    role != NodeRole.edge.rawValue && (status == "usable" || status == "faulty")
  }

  /// Whether it is to be said when it was seen last.
  var isMissing: Bool { status == "down" || status == "suspect" }

  /// What a table says of it; `-` is what nobody knows.
  func row(withLastSeen: Bool) -> [String] {
    let figures = [
      publishers.map { "\($0)" }, viewers.map { "\($0)" },
      bitsInPerSecond.map { BitrateText.rounded(UInt64(clamping: $0)) },
      bitsOutPerSecond.map { BitrateText.rounded(UInt64(clamping: $0)) },
      memoryBytes.map { SizeText.rounded(Int(clamping: $0)) },
      uptimeSeconds.map { DurationText.format(.seconds($0)) },
    ]
    let seen = isMissing ? lastSeenSeconds.map { "\(DurationText.format(.seconds($0))) ago" } : ""
    return [id, role, region, status] + figures.map { $0 ?? "-" }
      + (withLastSeen ? [seen ?? "-"] : [])
  }

  /// Writes what isn't known as null, not as nothing: who reads it finds each name.
  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(id, forKey: .id)
    try fields.encode(role, forKey: .role)
    try fields.encode(region, forKey: .region)
    try fields.encode(status, forKey: .status)
    try fields.encode(version, forKey: .version)
    try fields.encode(address, forKey: .address)
    try fields.encode(lastSeenSeconds, forKey: .lastSeenSeconds)
    try fields.encode(uptimeSeconds, forKey: .uptimeSeconds)
    try fields.encode(publishers, forKey: .publishers)
    try fields.encode(viewers, forKey: .viewers)
    try fields.encode(memoryBytes, forKey: .memoryBytes)
    try fields.encode(bitsInPerSecond, forKey: .bitsInPerSecond)
    try fields.encode(bitsOutPerSecond, forKey: .bitsOutPerSecond)
    try fields.encode(fault, forKey: .fault)
    try fields.encode(remark, forKey: .remark)
    try fields.encode(hasOtherSecret, forKey: .hasOtherSecret)
  }
}
