import RTMP

/// Why a publisher is not admitted: the status it gets, and words for a person.
struct PublishDenial: Error, Sendable {
  let status: ServerSession.PublishRefusal
  let words: String

  init(_ status: ServerSession.PublishRefusal, _ words: String) {
    self.status = status
    self.words = words
  }

  init(_ refusal: ClaimRefusal) {
    switch refusal {
    case .taken, .contested, .superseded, .onAir: status = .badName
    case .full, .noMemory, .unavailable: status = .failed
    }
    words = "\(refusal)"
  }
}
