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
    /// Of a program the camera that was chosen, and last the one that it shows.
    var names: [String]

    /// Whether these are numbers that a stream can have.
    var isPossible: Bool {
      let date = -ElderAnswer.beyond..<ElderAnswer.beyond
      let numbers = 0..<Int(ElderAnswer.beyond)
      return numbers.contains(state.nextSequence) && numbers.contains(state.discontinuitySequence)
        && numbers.contains(state.targetDuration ?? 0) && date.contains(state.endTime.ticks)
        && date.contains(state.endDate)
    }
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

  init(
    count: Int = 0, recordings: [String] = [], refusal: Refusal? = nil, progress: Progress? = nil
  ) {
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
      (400..<600).contains(answer.refusal?.status ?? 400)
    else { return nil }
    return answer
  }
}
