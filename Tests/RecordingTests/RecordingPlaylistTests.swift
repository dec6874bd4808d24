import HLS
import Testing

@testable import Recording
@testable import Transcode

@Suite struct `Recording playlists` {
  private func text(_ text: AddressedText, _ query: String) throws -> String {
    let query = Array(query.utf8)
    let bytes = text.text(withQuery: query.span)
    return String(decoding: try #require(bytes), as: UTF8.self)
  }

  @Test func `lists byte ranges, and carries a token on`() throws {
    let text = try #require(
      RecordingPlaylist.text([
        .init(
          file: "recording.mp4", bytes: 0, durationSeconds: 4.5, video: nil, audio: nil,
          playback: .init(
            file: "hls.mp4", bytes: 600, headerBytes: 100,
            segments: [.init(offset: 100, bytes: 500, seconds: 4.4996)])),
        .init(
          file: "recording-2.mp4", bytes: 0, durationSeconds: 2, video: nil, audio: nil,
          playback: .init(
            file: "hls-2.mp4", bytes: 60, headerBytes: 10,
            segments: [.init(offset: 10, bytes: 50, seconds: 2)])),
      ]))
    #expect(
      text == """
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:5
        #EXT-X-MEDIA-SEQUENCE:0
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MAP:URI="hls.mp4",BYTERANGE="100@0"
        #EXTINF:4.500,
        #EXT-X-BYTERANGE:500@100
        hls.mp4
        #EXT-X-DISCONTINUITY
        #EXT-X-MAP:URI="hls-2.mp4",BYTERANGE="10@0"
        #EXTINF:2.000,
        #EXT-X-BYTERANGE:50@10
        hls-2.mp4
        #EXT-X-ENDLIST

        """)
    let own = try self.text(RecordingPlaylist.addressed(Array(text.utf8)), "token=a.b")
    #expect(own.contains("URI=\"hls.mp4?token=a.b\",BYTERANGE"))
    #expect(own.contains("\nhls-2.mp4?token=a.b\n"))
    #expect(own.hasSuffix("#EXT-X-ENDLIST\n"))
    #expect(RecordingPlaylist.text([]) == nil)
    let pictures = RecordingPlaylist.addressedPictures(Array("sprite.jpg#xywh=0,0,1,1\n".utf8))
    #expect(try self.text(pictures, "t=1") == "sprite.jpg?t=1#xywh=0,0,1,1\n")
  }
}
