/// `callbacks`: the backend that is asked and told, in nginx-rtmp's form.
struct CallbacksSection: Equatable, Sendable {
  /// What happens to a publisher or player when the backend can't be reached.
  enum OnFailure: String, CaseIterable, Sendable { case refuse, admit }

  var onPublish: String?
  var onPublishDone: String?
  var onPlay: String?
  var onPlayDone: String?
  var timeout = Duration.seconds(5)
  var onFailure = OnFailure.refuse
}
