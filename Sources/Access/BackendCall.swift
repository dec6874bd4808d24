/// One question or notice to the backend, with the fields that nginx-rtmp sends.
package struct BackendCall: Sendable, Equatable {
  /// What is asked; nginx-rtmp's `call` field.
  package enum Kind: String, Sendable, CaseIterable {
    case publish, publishDone = "publish_done", play, playDone = "play_done"

    /// Whether an answer decides; the others are only told.
    package var decides: Bool { self == .publish || self == .play }
  }

  package var kind: Kind
  /// The RTMP application, such as `live`.
  package var app: String
  /// The stream's name as the client gave it, without its query: a token (the stream key),
  /// `wedding` or `wedding/camera`.
  package var name: String
  /// The client's address without port.
  package var address: String
  package var flashVersion: String
  package var swfURL: String
  package var tcURL: String
  package var pageURL: String
  /// The connection's number on this node.
  package var clientID: UInt64
  /// The query of the stream's name, percent-encoded as it came: `token=…&x=1`.
  package var arguments: String

  package init(
    _ kind: Kind, app: String, name: String, address: String, flashVersion: String = "",
    swfURL: String = "", tcURL: String = "", pageURL: String = "", clientID: UInt64,
    arguments: String = ""
  ) {
    self.kind = kind
    self.app = app
    self.name = name
    self.address = address
    self.flashVersion = flashVersion
    self.swfURL = swfURL
    self.tcURL = tcURL
    self.pageURL = pageURL
    self.clientID = clientID
    self.arguments = arguments
  }

  /// `application/x-www-form-urlencoded`, in nginx-rtmp's order.
  ///
  /// The stream's arguments come last and as they are, so a backend that takes the first of two
  /// equal names can't be given another `name` or `addr` by a client.
  package var form: [UInt8] {
    var fields: [(String, String)] = [
      ("app", app), ("flashver", flashVersion), ("swfurl", swfURL), ("tcurl", tcURL),
      ("pageurl", pageURL), ("addr", address), ("clientid", "\(clientID)"),
      ("call", kind.rawValue), ("name", name),
    ]
    if kind == .publish { fields.append(("type", "live")) }
    var out = FormCoding.encode(fields)
    let extra = BackendCall.safeArguments(arguments, not: fields.map(\.0))
    if !extra.isEmpty { out += [UInt8(ascii: "&")] + extra }
    return out
  }

  /// The arguments without those that would repeat a field, and without bytes that no form has.
  private static func safeArguments(_ arguments: String, not names: [String]) -> [UInt8] {
    FormCoding.encode(
      FormCoding.decode(Array(arguments.utf8)).filter { !names.contains($0.0.lowercased()) })
  }
}
