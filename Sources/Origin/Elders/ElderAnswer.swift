import ControlAPI
import Foundation
import HLS
import Media

/// What a process has done that was asked by the one after it.
package struct ElderAnswer: Codable, Equatable, Sendable {
  /// Why it could not do it, for whoever called the API.
  struct Refusal: Codable, Equatable, Sendable {
    /// The code where somebody is on air there, who stays until the newcomer is admitted.
    static let onAir = "on_air"
    /// The code where nobody knows whether it was done.
    static let noAnswer = "no_answer"

    var status: Int
    var code: String
    var message: String

    init(_ error: APIError) {
      (status, code, message) = (error.status, error.code, error.message)
    }

    var error: APIError { APIError(status, code, message) }
  }

  /// How far a stream has come that was left.
  struct Progress: Codable, Equatable, Sendable {
    var state: WindowState
    /// The camera that a program shows.
    var camera: String?
    /// The one that was chosen for it.
    var chosen: String?
    /// Whose segment its last one is.
    var shown: ShownPlace?
    /// Since when it has been on the air; nil from processes of before.
    var broadcast: Broadcast?

    private enum CodingKeys: String, CodingKey {
      case state, camera, chosen, shown, broadcast
      /// The one that was chosen, and last the one that is shown: what processes of before say, and
      /// read.
      case names
    }

    init(
      state: WindowState, camera: String? = nil, chosen: String? = nil, shown: ShownPlace? = nil,
      broadcast: Broadcast? = nil
    ) {
      self.broadcast = broadcast
      (self.state, self.camera, self.chosen, self.shown) = (state, camera, chosen, shown)
    }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      let names = try fields.decodeIfPresent([String].self, forKey: .names) ?? []
      state = try fields.decode(WindowState.self, forKey: .state)
      camera = try fields.decodeIfPresent(String.self, forKey: .camera) ?? names.last
      chosen =
        try fields.decodeIfPresent(String.self, forKey: .chosen) ?? names.dropLast().last
      shown = try fields.decodeIfPresent(ShownPlace.self, forKey: .shown)
      broadcast = try fields.decodeIfPresent(Broadcast.self, forKey: .broadcast)
    }

    func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: CodingKeys.self)
      try fields.encode(state, forKey: .state)
      try fields.encodeIfPresent(camera, forKey: .camera)
      try fields.encodeIfPresent(chosen, forKey: .chosen)
      try fields.encodeIfPresent(shown, forKey: .shown)
      try fields.encodeIfPresent(broadcast, forKey: .broadcast)
      try fields.encode(camera.map { [chosen ?? $0, $0] } ?? [], forKey: .names)
    }

    /// Whether these are numbers that a stream can have.
    var isPossible: Bool {
      let date = -ElderAnswer.beyond..<ElderAnswer.beyond
      let numbers = 0..<Int(ElderAnswer.beyond)
      return numbers.contains(state.nextSequence) && numbers.contains(state.discontinuitySequence)
        && numbers.contains(shown?.sequence ?? 0)
        && numbers.contains(state.targetDuration ?? 0) && date.contains(state.endTime.ticks)
        && date.contains(state.endDate)
        && broadcast.map { date.contains($0.began) && date.contains($0.last) } != false
    }
  }

  /// What there is of cameras of weddings with several.
  struct News: Codable, Equatable, Sendable {
    /// Of what is known then.
    var number: Int
    /// Those that have changed.
    var cameras: [ElderCamera]
    /// Weddings whose program is there.
    var programs: [String]
  }

  /// No number of a stream, time or count comes as far: sums of such can't overflow.
  private static let beyond: Int64 = 1 << 53

  /// Connections that were closed, or streams that it was done to.
  var count = 0
  /// Recordings that it was done to, by name.
  var recordings: [String] = []
  var refusal: Refusal?
  /// Nil where the stream wasn't there.
  var progress: Progress?
  /// Nil where nobody has asked for it.
  var news: News?

  init(
    count: Int = 0, recordings: [String] = [], refusal: Refusal? = nil, progress: Progress? = nil,
    news: News? = nil
  ) {
    self.news = news
    self.progress = progress
    self.count = count
    self.recordings = recordings
    self.refusal = refusal
  }

  /// What stands for one that may be there, and hasn't said what it has done.
  package static var missing: ElderAnswer {
    ElderAnswer(
      refusal: Refusal(
        APIError(
          503, Refusal.noAnswer,
          "The process of this node before this one doesn't answer; try again.")))
  }

  /// Reads one as it came.
  ///
  /// - Parameter json: of another process.
  /// - Returns: nil where it is none, or has numbers that can't be.
  package static func read(_ json: [UInt8]) -> ElderAnswer? {
    guard let answer = try? JSONDecoder().decode(ElderAnswer.self, from: Data(json)),
      (0..<Int(beyond)).contains(answer.count), answer.progress?.isPossible != false,
      answer.news?.cameras.allSatisfy(\.isPossible) != false,
      (400..<600).contains(answer.refusal?.status ?? 400)
    else { return nil }
    return answer
  }
}
