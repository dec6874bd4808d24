import RTMP

// How an origin is told that a stream goes on which another one had: by the query of its name.
extension StreamName {
  /// What says that the stream's earlier origin is lost, or hands it over.
  static let resume = "resume"
  /// What says that the earlier origin still has the stream and gives it up when it has been told
  /// all.
  static let handover = "handover"
  /// What proves the former.
  static let proof = "proof"
  /// What says that a relay publishes the stream, which is told how far viewers have it.
  package static let relay = "relay"
  /// How far another origin's viewers had it.
  static let after = "after"
  /// Which of its publishers that one had.
  static let grant = "grant"
  /// Which date a time of its clock has.
  static let date = "date"
  /// How far the program has come that is made of it and others.
  static let program = "program"
  private static let own = [resume, handover, proof, relay, after, grant, date, program]

  /// The name as the publisher sent it, without what only a relay may say.
  var asPublished: String {
    guard query.contains(where: { Self.own.contains($0.name) }) else { return raw }
    let parts = raw.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let kept = parts.dropFirst().first?.split(separator: "&").filter { item in
      let name = StreamName("?" + item).query.first?.name
      return name.map { !Self.own.contains($0) } ?? true
    }
    guard let kept, !kept.isEmpty else { return String(parts[0]) }
    return parts[0] + "?" + kept.joined(separator: "&")
  }

  /// The name to publish under at an origin.
  ///
  /// - Parameters:
  ///   - resumes: whether another origin had the stream.
  ///   - isHandover: whether it has it still.
  ///   - items: what that origin is told of it, instead of the mere fact.
  /// - Returns: the publisher's, with these.
  func forOrigin(resumes: Bool, isHandover: Bool, as items: String? = nil) -> String {
    var name = asPublished
    let says = [Self.relay, resumes ? Self.resume : nil, isHandover ? Self.handover : nil]
    for item in says.compactMap({ $0 }) {
      let text = item == Self.resume ? items ?? item + "=1" : item + "=1"
      name += (name.contains("?") ? "&" : "?") + text
    }
    return name
  }
}
