/// How fast a response may be sent; rates are bytes a second, and 0 is no bound.
package struct Pace: Equatable, Sendable {
  /// Of all paced responses of the connection together.
  package var connectionRate = 0
  /// What the connection may send at once beyond that.
  package var connectionBurst = 0
  /// Of this response.
  package var responseRate = 0
  /// What a connection may send beyond its responses' rates at its beginning, so that a picture is
  /// there soon.
  package var startBytes = 0

  package init(
    connectionRate: Int = 0, connectionBurst: Int = 0, responseRate: Int = 0, startBytes: Int = 0
  ) {
    self.connectionRate = connectionRate
    self.connectionBurst = connectionBurst
    self.responseRate = responseRate
    self.startBytes = startBytes
  }

  var isBound: Bool { connectionRate > 0 || responseRate > 0 }
}
