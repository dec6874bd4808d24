import ControlAPI
import HLS

/// What a process has done that was asked by the one after it.
package struct ElderAnswer: Codable, Equatable, Sendable {
  /// Why it could not do it, for whoever called the API.
  struct Refusal: Codable, Equatable, Sendable {
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
    /// Of a program the camera that it shows.
    var names: [String]
  }

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
}
