/// Why a node is to drain.
enum DrainOrder: Sendable {
  /// It stops.
  case stop
  /// Another process goes on with the node; this one ends with its publishers, or with that
  /// process.
  case replaced(by: UpgradeLink)
}
