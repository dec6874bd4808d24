import Redis

/// Something that other nodes should look at soon; what is true stands in its record.
package enum ClusterEvent: Equatable, Sendable {
  /// A node's record has changed.
  case node(NodeID)
  /// A node has gone of its own accord.
  case left(NodeID)
  /// A stream has another holder, or none any more.
  case stream(StreamID, owner: NodeID, epoch: Int64)
  /// A stream's playlist has grown, up to this number and, by its publisher's clock, this time (in
  /// ticks of 1/90000 s; 0 where that isn't known).
  case head(StreamID, epoch: Int64, sequence: Int64, end: Int64)
  /// A wedding was locked or unlocked.
  case lock(wedding: String)
  /// A wedding's cameras, their keys or what its program is to show are otherwise.
  case cameras(wedding: String)
  /// Something else is ordered of a wedding: that a stream of it is recorded, or isn't.
  case recording(wedding: String)

  /// Its names and values as an entry of `wl:events`.
  var fields: [String] {
    switch self {
    case .node(let id): ["kind", "node", "node", id.text]
    case .left(let id): ["kind", "left", "node", id.text]
    case .stream(let stream, let owner, let epoch):
      ["kind", "stream", "stream", "\(stream)", "node", owner.text, "epoch", "\(epoch)"]
    case .head(let stream, let epoch, let sequence, let end):
      [
        "kind", "head", "stream", "\(stream)", "epoch", "\(epoch)", "sequence", "\(sequence)",
        "end", "\(end)",
      ]
    case .lock(let wedding): ["kind", "lock", "wedding", wedding]
    case .cameras(let wedding): ["kind", "cameras", "wedding", wedding]
    case .recording(let wedding): ["kind", "recording", "wedding", wedding]
    }
  }

  /// Reads an entry; nil where it isn't one of ours.
  init?(_ entry: RedisStreamEntry) {
    guard entry.fields.values.allSatisfy({ $0.count <= 512 }) else { return nil }
    let node = entry["node"].flatMap { NodeID($0) }
    let stream = entry["stream"].flatMap { StreamID($0) }
    let epoch = entry["epoch"].flatMap(Int64.init) ?? 0
    if let wedding = entry["wedding"] {
      guard NameRule.allows(wedding, longest: 128) else { return nil }
      switch entry["kind"] {
      case "lock": self = .lock(wedding: wedding)
      case "cameras": self = .cameras(wedding: wedding)
      case "recording": self = .recording(wedding: wedding)
      default: return nil
      }
      return
    }
    switch (entry["kind"], node, stream) {
    case ("node", let node?, _): self = .node(node)
    case ("left", let node?, _): self = .left(node)
    case ("stream", let node?, let stream?) where Epoch.isValid(epoch):
      self = .stream(stream, owner: node, epoch: epoch)
    case ("head", _, let stream?) where Epoch.isValid(epoch):
      guard let sequence = entry["sequence"].flatMap(Int64.init),
        (0...StreamHead.largest).contains(sequence)
      else { return nil }
      let end = entry["end"].flatMap(Int64.init) ?? 0
      guard (-StreamHead.largest...StreamHead.largest).contains(end) else { return nil }
      self = .head(stream, epoch: epoch, sequence: sequence, end: end)
    default: return nil
    }
  }
}

/// The numbers of a stream's holders.
enum Epoch {
  /// Whether a number may be one: 1 to 2^53 - 1, which Lua still counts exactly.
  static func isValid(_ epoch: Int64) -> Bool { (1...StreamHead.largest).contains(epoch) }
}
