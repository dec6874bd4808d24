import RTMP

/// Why a publisher is not admitted: the status it gets, and words for a person.
struct PublishDenial: Error, Sendable {
  let status: ServerSession.PublishRefusal
  let words: String

  init(_ status: ServerSession.PublishRefusal, _ words: String) {
    self.status = status
    self.words = words
  }
}
