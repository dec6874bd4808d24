/// One wedding's program at one moment, as the operator sees it.
package struct ProgramSummary: Codable, Equatable, Sendable {
  package var wedding: String
  /// The camera that it shows, or showed last; empty before any was live.
  package var camera: String
  /// Whether any of its cameras is live.
  package var isLive: Bool
  /// When it went on the air, since 1970; nil from processes of before, which don't say it.
  package var startedAtMilliseconds: Int64?
  package var viewers: Int
  /// How many segments its playlist lists, and the number of the next one.
  package var segments: Int
  package var nextSequence: Int
  /// How often it has shown another camera.
  package var switches: Int
  /// What was sent of the program itself; what its cameras received is theirs.
  package var traffic: TrafficStatus
  /// The same, by receivers and renditions.
  package var sent: [SentStatus]

  package init(
    wedding: String, camera: String, isLive: Bool = true, startedAtMilliseconds: Int64? = nil,
    viewers: Int = 0, segments: Int = 0,
    nextSequence: Int = 0, switches: Int = 0, traffic: TrafficStatus = TrafficStatus(),
    sent: [SentStatus] = []
  ) {
    self.traffic = traffic
    self.sent = sent
    self.wedding = wedding
    self.camera = camera
    self.isLive = isLive
    self.startedAtMilliseconds = startedAtMilliseconds
    self.viewers = viewers
    self.segments = segments
    self.nextSequence = nextSequence
    self.switches = switches
  }

  enum CodingKeys: String, CodingKey {
    case wedding, camera
    case isLive = "live"
    case startedAtMilliseconds = "started_at_ms"
    case viewers, segments
    case nextSequence = "next_sequence"
    case switches, traffic, sent
  }
}
