/// `storage`: where finished recordings are kept.
struct StorageSection: Equatable, Sendable {
  enum Kind: String, CaseIterable, Sendable {
    /// They stay in the folder of recordings.
    case off
    case local, s3, telegram
  }

  /// `storage.s3`: a bucket.
  struct S3: Equatable, Sendable {
    /// Empty: Amazon's of the region.
    var endpoint = ""
    var region = "us-east-1"
    var bucket = ""
    var prefix = ""
    var accessKey = ""
    var secretKey: String?
    var secretKeyFile: String?
    var pathStyle = true
    /// In bytes.
    var partSize = 16 << 20
    var checksums = true
  }

  /// `storage.telegram`: a chat.
  struct Telegram: Equatable, Sendable {
    var api = "https://api.telegram.org"
    var botToken: String?
    var botTokenFile: String?
    var chatID = ""
    /// In bytes.
    var partSize = 19 << 20
  }

  var kind = Kind.off
  /// Empty: `kept` in the data folder.
  var path = ""
  var s3 = S3()
  var telegram = Telegram()
  /// Where somebody serves what is kept to people.
  var publicURL: String?
  var timeout = Duration.seconds(30)
  var stall = Duration.seconds(30)
  /// A PEM file.
  var certificateAuthorities: String?
}
