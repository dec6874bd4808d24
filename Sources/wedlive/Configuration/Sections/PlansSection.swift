/// `plans`: which qualities each plan has.
struct PlansSection: Equatable, Sendable {
  var free = ["240p", "360p", "480p"]
  var premium = ["240p", "360p", "480p", "720p", "1080p", "4k", "source"]
  /// Of publishers whose token names none.
  var standard = Plan.premium

  enum Plan: String, CaseIterable, Sendable { case free, premium }

  /// What there can be in a plan.
  static let renditions = ["source", "4k", "1080p", "720p", "480p", "360p", "240p"]
}
