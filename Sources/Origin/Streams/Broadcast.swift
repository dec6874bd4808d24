/// What viewers take for one: a stream from when it goes on the air, over its publisher's returns,
/// until it has been away for the reconnect window.
///
/// Processes and nodes that go on with it tell each other of it.
package struct Broadcast: Codable, Equatable, Sendable {
  /// When it went on the air, in milliseconds since 1970.
  package let began: Int64
  /// When it was on the air last, in the same.
  package let last: Int64

  package init(began: Int64, last: Int64) {
    self.began = began
    self.last = last
  }

  /// The same, where it is known from elsewhere that it was on the air at a date.
  func seen(_ date: Int64) -> Broadcast { Broadcast(began: began, last: max(last, date)) }

  /// Whether a publisher who comes goes on with it.
  ///
  /// - Parameters:
  ///   - streams: say how long it waits; what was announced last ends up to two fragments ago.
  ///   - now: milliseconds since 1970.
  /// - Returns: false where it has been away for longer: what comes is another one.
  func goesOn(_ streams: StreamConfiguration, now: Int64) -> Bool {
    let patience = streams.reconnectWindow + streams.fragment * 2
    return began <= last && now - last <= Int64(patience / .milliseconds(1))
  }
}
