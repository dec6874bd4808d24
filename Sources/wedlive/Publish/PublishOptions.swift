import Ingest
import Media
import TLS
import Transcode

/// What is published, and where to.
struct PublishOptions: Sendable {
  var address: RTMPAddress
  /// A file to play; nil for the test picture.
  var input: String?
  var loops = false
  /// Of pictures that have to be encoded.
  var video = VideoSettings()
  /// Whether a file keeps its size.
  var keepsSourceSize = true
  /// What stands on the test picture.
  var title = "wedlive"
  /// How much media is sent; nil for all of it.
  var duration: Duration?
  /// Whom an rtmps server's certificate must be signed by.
  var trust = TLSClientConfiguration.Trust.system

  /// The program that makes the media: this one.
  var executable = "/proc/self/exe"

  init(to address: RTMPAddress) { self.address = address }
}
