import Foundation

/// `node`: who this node is.
struct NodeSection: Equatable, Sendable {
  /// Its name in logs, metrics and headers.
  var id = ""
  /// Where it stands, for people and for placing streams.
  var region = "local"
  /// The host name that clients reach it by, in the addresses it hands out.
  var advertise = "localhost"

  /// The id, or the machine's host name where none is set.
  var effectiveID: String {
    id.isEmpty ? ProcessInfo.processInfo.hostName : id
  }
}
