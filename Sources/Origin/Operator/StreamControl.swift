import ControlAPI
package import EventLoop
import Foundation
package import HTTPTypes
import Media

/// nginx-rtmp's `/control` verbs: drops clients of a stream by name, address or number, and begins
/// and ends its recordings.
///
/// `/control/drop/publisher|subscriber|client?app=live&name=WEDDING[/CAMERA]&addr=…&clientid=…`
/// answers with how many were dropped; `/control/record/start|stop?app=live&name=WEDDING[/CAMERA]`
/// with the names of the recordings, one a line.
package struct StreamControl: Sendable {
  private let loops: [LoopMailbox]
  private let recordings: OriginRecordings?
  private let elders: ElderHands?

  /// - Parameters:
  ///   - loops: that clients are on.
  ///   - recordings: of the node.
  ///   - elders: processes before this one, which have clients of their own; nil where there are
  ///     none.
  package init(
    loops: [LoopMailbox], recordings: OriginRecordings? = nil, elders: ElderHands? = nil
  ) {
    self.loops = loops
    self.recordings = recordings
    self.elders = elders
  }

  /// Whom a command means.
  package struct Selection: Codable, Sendable, Equatable {
    enum Kind: String, Codable, Sendable { case publisher, subscriber, client }

    var kind: Kind
    var key: StreamKey?
    var address: String?
    var clientID: UInt64?

    func covers(_ ask: ClientAsk, isPublishing: Bool) -> Bool {
      switch kind {
      case .publisher where !isPublishing: return false
      case .subscriber where isPublishing: return false
      default: break
      }
      if let key, ask.key != key { return false }
      if let address, ask.address != address { return false }
      if let clientID, ask.clientID != clientID { return false }
      return true
    }
  }

  /// Carries a command out.
  ///
  /// - Parameter target: the request's path and query.
  /// - Returns: the status, and the count or what is wrong, ending with a line break.
  package func perform(_ target: String) async -> (HTTPResponse.Status, String) {
    guard let url = URLComponents(string: target) else { return (.badRequest, "bad address\n") }
    let parts = url.path.split(separator: "/").map(String.init)
    if parts.count == 3, parts[1] == "record" { return await record(parts[2], url) }
    guard parts.count == 3, parts[1] == "drop", let kind = Selection.Kind(rawValue: parts[2])
    else {
      return (
        .notFound,
        "use /control/drop/publisher, /control/drop/subscriber, /control/drop/client, "
          + "/control/record/start or /control/record/stop\n"
      )
    }
    var selection = Selection(kind: kind)
    for item in url.queryItems ?? [] {
      guard let value = item.value, !value.isEmpty else { continue }
      switch item.name {
      case "name":
        guard let key = Self.key(value) else {
          return (.badRequest, "name: \(value) can be no stream\n")
        }
        selection.key = key
      case "addr": selection.address = value
      case "clientid":
        guard let id = UInt64(value) else { return (.badRequest, "clientid: not a number\n") }
        selection.clientID = id
      default: break  // app, srv: there is one of each
      }
    }
    guard selection.key != nil || selection.address != nil || selection.clientID != nil else {
      return (.badRequest, "say whom: name=, addr= or clientid=\n")
    }
    let chosen = selection
    var count = await loops.total { $0.local(OriginLoop.self)?.drop(chosen) ?? 0 }
    guard let elders else { return (.ok, "\(count)\n") }
    let (answers, refusal) = await elders.done(.drop(chosen))
    for answer in answers { count += answer.count }
    // Who stays there may be whom it was about.
    if let refusal { return (.init(code: refusal.status), "\(count)\n\(refusal.message)\n") }
    return (.ok, "\(count)\n")
  }

  /// The stream of `WEDDING` or `WEDDING/CAMERA`.
  private static func key(_ name: String) -> StreamKey? {
    let names = name.split(separator: "/").map(String.init)
    guard let wedding = names.first, names.count < 3 else { return nil }
    return StreamKey(wedding: wedding, camera: names.count > 1 ? names[1] : "main")
  }

  private func record(
    _ verb: String, _ url: URLComponents
  ) async -> (HTTPResponse.Status, String) {
    guard let recordings, verb == "start" || verb == "stop" else {
      return (.notFound, "use /control/record/start or /control/record/stop\n")
    }
    let name = url.queryItems?.first { $0.name == "name" }?.value ?? ""
    guard let key = Self.key(name) else {
      return (.badRequest, "say which stream: name=WEDDING or name=WEDDING/CAMERA\n")
    }
    do throws(APIError) {
      let infos =
        verb == "start"
        ? try await recordings.start(wedding: key.wedding, camera: key.camera)
        : try await recordings.stop(wedding: key.wedding, camera: key.camera)
      return (.ok, infos.map { "\($0.recordingId)\n" }.joined())
    } catch {
      return (.init(code: error.status), "\(error.message)\n")
    }
  }
}
