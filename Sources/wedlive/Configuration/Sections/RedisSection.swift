/// `redis`: where nodes of a cluster meet.
struct RedisSection: Equatable, Sendable {
  /// `redis://`, `rediss://`, `unix://` or `redis+sentinel://`.
  var url: String?
  /// A file that holds it: it may have a password in it.
  var urlFile: String?
  var certificateAuthorities: String?
  /// For a command.
  var deadline = Duration.seconds(2)
  var connectTimeout = Duration.seconds(3)
}
