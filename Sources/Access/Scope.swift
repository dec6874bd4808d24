/// What a token allows.
package enum Scope: String, Sendable, CaseIterable, Codable {
  /// To send one camera's stream.
  case publish
  /// To watch a wedding.
  case watch
  /// To use the control API, as WedLive's backend does.
  case service
}
