import Access
import HLS
import HTTPSemantics
import HTTPServer
import HTTPTypes
package import Recording
package import Storage

/// Answers viewers of finished recordings: `/hls/{wedding}/recordings/{id}/{file}`.
///
/// The playlist, the movies that it lists ranges of, and the pictures to find a place by; from this
/// node's disk or through it from where they were uploaded to.
package struct RecordingSite: Sendable {
  /// What stands in the place of a camera in addresses of recordings.
  package static let folder = "recordings"
  static let folderBytes = Array(folder.utf8)

  private static let playlist = "index.m3u8"
  private static let subtitles = "text/vtt"
  private static let playlistType = "application/vnd.apple.mpegurl"

  let shelf: RecordingShelf
  private let reader: KeptFileReader
  /// Whether a viewer's plan limits what it may watch.
  let isLimitedByPlan: Bool

  /// Makes a site.
  ///
  /// - Parameters:
  ///   - shelf: what there is.
  ///   - reader: reads it.
  ///   - isLimitedByPlan: whether a viewer's plan limits what it may watch.
  package init(shelf: RecordingShelf, reader: KeptFileReader, isLimitedByPlan: Bool) {
    self.shelf = shelf
    self.reader = reader
    self.isLimitedByPlan = isLimitedByPlan
  }

  /// Answers a request for a file of a recording that the viewer may watch.
  ///
  /// - Returns: nil where it has no such file.
  func answer(
    _ request: borrowing Request, _ recording: RecordingShelf.Entry, _ name: String,
    _ audience: Audience
  ) -> Response? {
    guard let file = recording.files[name] else { return nil }
    let fields =
      [
        (name: "content-type", value: file.contentType),
        ("cache-control", Self.cacheControl(audience)),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "date, etag, content-range"),
      ] + CacheTags.fields(ofWedding: recording.wedding)
    if case .holder(let token, inQuery: true) = audience,
      name == Self.playlist || file.contentType == Self.subtitles
    {
      return .deferred(addressed(file, fields, Array("token=".utf8) + token))
    }
    return KeptFileResponse(
      file: file, fields: fields, entityTag: "\(recording.id)-\(name)", reader: reader
    ).answer(request)
  }

  /// A text whose addresses carry the viewer's token on.
  private func addressed(
    _ file: KeptFile, _ fields: [(name: String, value: String)], _ query: [UInt8]
  ) -> APICall {
    APICall(bodyLimit: 0) { [reader] _ in
      let bytes: [UInt8]
      do throws(StorageError) {
        bytes = try await reader.read(file, 0..<file.bytes)
      } catch {
        return Self.unavailable
      }
      let text =
        file.contentType == Self.playlistType
        ? RecordingPlaylist.addressed(bytes) : RecordingPlaylist.addressedPictures(bytes)
      var response = HTTPResponse(status: .ok)
      for (name, value) in fields {
        guard let name = HTTPField.Name(name) else { continue }
        response.headerFields[name] = value
      }
      return APIResponse(response, body: text.text(withQuery: query.span) ?? bytes)
    }
  }

  private static let unavailable = {
    var answer = APIResponse.error(
      .badGateway, code: "storage_unavailable",
      message: "The recording can't be read from where it is kept; try again.")
    answer.response.headerFields[.retryAfter] = "5"
    return answer
  }()

  /// What is recorded never changes; those who hold a token keep it to themselves.
  private static func cacheControl(_ audience: Audience) -> String {
    audience == .everybody ? "public, max-age=3600" : "private, max-age=3600"
  }
}
