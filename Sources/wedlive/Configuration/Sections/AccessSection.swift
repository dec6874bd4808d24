/// `access`: who may watch.
struct AccessSection: Equatable, Sendable {
  enum Watch: String, CaseIterable, Sendable { case `public`, token }

  var watch = Watch.public
}
