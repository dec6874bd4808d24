import Access
import ControlAPI
import HTTPTypes
import Media

/// Finds the origin that knows a wedding, for calls of the API.
///
/// What an origin knows of its streams (their keys, qualities) only it can answer, so a call that
/// names a wedding goes to the one that has it. Files of a recording are asked of the node that
/// keeps it, and of recordings themselves any origin of a cluster knows all.
struct EdgeRouter: Sendable {
  let live: EdgeLive
  /// Nil where any upstream has all recordings.
  let recordings: RecordingPools?

  /// Whether any origin answers what is asked, and finds the one that is meant by itself.
  func isForAny(_ path: String) -> Bool {
    recordings != nil
      && (path.hasPrefix("/api/streams/recordings/")
        || path == "/api/streams/recording/complete")
  }

  /// The nodes of a wedding that is followed here.
  ///
  /// - Parameter path: of the request, without its query.
  /// - Returns: nil where the address names none.
  func known(_ path: String) -> UpstreamPool? {
    if let recordings, let name = RecordingLocator.Name(path: path) {
      return recordings.known(name)
    }
    for wedding in Self.names(path) {
      for camera in [Claims.programCamera, Claims.mainCamera] {
        if let key = StreamKey(wedding: wedding, camera: camera), let pool = live.pool(of: key) {
          return pool
        }
      }
    }
    return nil
  }

  /// The node that has the wedding of a call, or that would get its stream.
  ///
  /// - Parameters:
  ///   - request: its address, and of which type its body is.
  ///   - body: JSON or a form with a `wedding_id`, where the address names none.
  /// - Returns: nil where the call names no wedding.
  func find(_ request: HTTPRequest, body: [UInt8]) async -> UpstreamPool? {
    let path = request.pathWithoutQuery
    if isForAny(path) { return nil }
    if let recordings, let name = RecordingLocator.Name(path: path) {
      // Where nobody has it, any of them may say so.
      return await recordings.find(name)
    }
    if let pool = known(path) { return pool }
    let values = try? ControlAPI.values(of: body, type: request.headerFields[.contentType])
    let names = [values?["wedding_id"]].compactMap { $0 } + Self.names(path)
    guard let key = names.lazy.compactMap({ StreamKey(wedding: $0) }).first else { return nil }
    let place = await live.locator.find(key)
    if place.isGuess, let program = StreamKey(wedding: key.wedding, camera: Claims.programCamera) {
      // Whoever is asked for what it hasn't got would say that there is no such wedding.
      await live.listen(program, atMost: live.configuration.firstDeadline)
      if let pool = live.pool(of: program) { return pool }
    }
    guard let node = place.nodes.first else { return nil }
    return UpstreamPool([node], rules: live.proxy.configuration.upstreamRules)
  }

  /// What may be a wedding's name in an address.
  private static func names(_ path: String) -> [String] {
    guard path.hasPrefix("/hls/") else { return ControlAPI.names(inPath: path) }
    return path.split(separator: "/").dropFirst().prefix(1).map(String.init)
  }
}
