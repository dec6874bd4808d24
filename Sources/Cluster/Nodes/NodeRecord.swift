import Bytes

/// What a node says of itself, as it stands in Redis under `wl:node:{id}`.
package struct NodeRecord: Equatable, Sendable {
  package let id: NodeID
  package var role: NodeRole
  /// Where it stands; those in the same one are preferred.
  package var region: String
  package var addresses: NodeAddresses
  package var version: String
  package var state = NodeState.starting
  package var load = NodeLoad()
  package var condition = NodeCondition()
  /// A random name of this run of the process: a node that was started again has another.
  package let incarnation: String
  /// When it was started by its own clock, in seconds since 1970; for people, never compared.
  package var started: Int64 = 0
  /// For how long it had been running when it wrote this: a duration, so clocks need not agree.
  package var uptime = Duration.zero
  /// The number of the heartbeat that wrote it; it never goes back within one incarnation.
  package var beat: Int64 = 0

  /// Makes the record of a node that is starting.
  package init(
    id: NodeID, role: NodeRole, region: String, addresses: NodeAddresses, version: String,
    incarnation: String = RandomName.make(16)
  ) {
    self.id = id
    self.role = role
    self.region = region
    self.addresses = addresses
    self.version = version
    self.incarnation = incarnation
  }

  /// Why it can't be a node's record, for one that we would write ourselves; nil where it can.
  package var problem: String? {
    if !addresses.areValid { return "a node's addresses must be host:port" }
    if !NameRule.allows(region, longest: 64) {
      return "a node's region has letters, digits, - and _, up to 64"
    }
    if !NameRule.isVisible(version, longest: 64) { return "a node's version has a space in it" }
    if !load.isValid { return "a node's load is out of range" }
    return nil
  }
}
