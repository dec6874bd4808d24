/// `cameras`: several of one wedding, and what its program shows.
struct CamerasSection: Equatable, Sendable {
  /// Whether the program goes back to a camera that was lost, once it is live again.
  var back = CameraBack.after(.seconds(30))
  /// How many a wedding may have, its main one among them, by plan.
  var free = 1
  var premium = 16
  /// How often a program is asked for that another node has.
  var askEvery = Duration.seconds(2)
}
