/// The information object of `onStatus`, `_result` and `_error`.
package struct Status: Equatable, Sendable {
  package enum Level: String, Sendable { case status, warning, error }

  package var level: Level
  /// `NetStream.Publish.Start` and so on.
  package var code: String
  /// For a person; never holds a stream key.
  package var text: String
  package var more = AMFObject()

  package init(_ level: Level, _ code: String, _ text: String) {
    self.level = level
    self.code = code
    self.text = text
  }

  /// Reads it from a command's arguments: the first object with a code.
  package init?(_ arguments: [AMFValue]) {
    for case let object? in arguments.map(\.object) {
      guard let code = object["code"]?.string else { continue }
      level = Level(rawValue: object["level"]?.string ?? "") ?? .status
      self.code = code
      text = object["description"]?.string ?? ""
      more = object
      return
    }
    return nil
  }

  package var value: AMFValue {
    var object: AMFObject = [
      "level": .string(level.rawValue), "code": .string(code), "description": .string(text),
    ]
    object.members += more.members
    return .object(object)
  }

  /// Asks a client to connect again, elsewhere if an address is given (Enhanced RTMP v2).
  ///
  /// The client goes on with this connection until the other one stands.
  package static func reconnect(to tcUrl: String?, _ text: String) -> Status {
    var status = Status(.status, "NetConnection.Connect.ReconnectRequest", text)
    if let tcUrl { status.more.append("tcUrl", .string(tcUrl)) }
    return status
  }
}
