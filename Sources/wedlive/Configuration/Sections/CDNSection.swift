/// `cdn`: the cache of somebody else's in front of the edges.
struct CDNSection: Equatable, Sendable {
  enum Provider: String, CaseIterable, Sendable {
    /// Nobody is told of anything.
    case off
    case cloudfront, cloudflare, fastly
    /// Any cache that takes a request for each purge.
    case http
  }

  /// `cdn.cloudfront`.
  struct CloudFront: Equatable, Sendable {
    var distribution = ""
    var accessKey = ""
    var secretKey: String?
    var secretKeyFile: String?
    /// Of temporary credentials.
    var sessionToken: String?
    var sessionTokenFile: String?
    var endpoint = "https://cloudfront.amazonaws.com"
    var maxPaths = 3_000
    var maxWildcards = 15
  }

  /// `cdn.cloudflare`.
  struct Cloudflare: Equatable, Sendable {
    var zone = ""
    var token: String?
    var tokenFile: String?
    var endpoint = "https://api.cloudflare.com/client/v4"
    var maxItems = 100
  }

  /// `cdn.fastly`.
  struct Fastly: Equatable, Sendable {
    var service = ""
    var token: String?
    var tokenFile: String?
    var endpoint = "https://api.fastly.com"
    var maxKeys = 256
  }

  /// `cdn.http`: a method and an address each, with `{path}`, `{prefix}` or `{tag}` in it.
  struct HTTP: Equatable, Sendable {
    var path: String?
    var prefix: String?
    var tag: String?
    /// `Name: value`, with `{tag}`.
    var tagHeader: String?
    var softHeader: String?
    /// Sent with all, such as a credential.
    var header: String?
    var headerFile: String?
  }

  var provider = Provider.off
  /// The host that viewers ask, in the addresses that they are given; empty: the node's own.
  var domain = ""
  var cloudFront = CloudFront()
  var cloudflare = Cloudflare()
  var fastly = Fastly()
  var http = HTTP()
  var timeout = Duration.seconds(20)
  var certificateAuthorities: String?
  var maxQueued = 20_000
  var maxFailures = 1_000
  var attempts = 20
  var maxAge = Duration.seconds(6 * 3_600)
  var firstPause = Duration.seconds(1)
  var longestPause = Duration.seconds(300)
  var hold = Duration.seconds(40)
}
