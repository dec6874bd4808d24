import Access
import ControlAPI
import HTTPTypes
import Media
import RTMP
import Recording
import Testing

@testable import Origin

@Suite struct `A stream that is recorded` {
  @Test func `is on disk as it came`() async throws {
    let recording = try await RecordingNode()
    let encoder = Encoder()
    let pieces = encoder.headers + encoder.messages(seconds: 2)
    let publisher = try await recording.node.publish(try recording.node.token())
    await publisher.send(pieces)
    await publisher.leave()
    #expect(try await eventually { try await recording.states() == ["completed"] })
    let tags = try #require(try recording.parts().first)
    #expect(tags.map(\.body) == pieces.map(\.message.payload))
    #expect(tags.map(\.timestamp) == pieces.map(\.message.timestamp))
  }

  @Test func `begins in the middle where somebody asks for it then`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    let encoder = Encoder()
    let publisher = try await recording.node.publish(try recording.node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 4))
    #expect(try await recording.node.eventuallyPlaylist { !$0.entries.isEmpty })
    #expect(try await recording.states().isEmpty)
    let started = try await recording.recordings.start(wedding: "w", camera: "main")
    #expect(started.map(\.state) == ["recording"])
    // A second wish for the same changes nothing.
    #expect(
      try await recording.recordings.start(wedding: "w", camera: "main").map(\.recordingId)
        == started.map(\.recordingId))
    await publisher.send(encoder.messages(from: 4, seconds: 2))
    #expect(
      try await eventually {
        try await recording.recordings.recordings(ofWedding: "w")[0].duration > 1.5
      })
    _ = try await recording.recordings.stop(wedding: "w", camera: "main")
    await publisher.send(encoder.messages(from: 6, seconds: 2))
    #expect(try await eventually { try await recording.states() == ["completed"] })
    let tags = try #require(try recording.parts().first)
    #expect(tags.prefix(3).map(\.body) == encoder.headers.map(\.message.payload))
    #expect(tags[3].body.first == 0x17)
    #expect(tags[3].timestamp == 4_000)
    #expect(try #require(tags.last).timestamp < 6_000)
  }
}

@Suite struct `Wishes for a stream` {
  /// Publishes two seconds and leaves.
  private func publish(_ recording: RecordingNode) async throws {
    let publisher = try await recording.node.publish(try recording.node.token())
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    #expect(try await recording.node.eventuallyPlaylist { !$0.entries.isEmpty })
    await publisher.leave()
  }

  @Test func `one that isn't live is recorded when it begins`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    #expect(try await recording.recordings.start(wedding: "w", camera: "main").isEmpty)
    // Of that stream alone.
    #expect(try await recording.states().isEmpty)
    try await publish(recording)
    #expect(try await eventually { try await recording.states() == ["completed"] })
  }

  @Test func `a stop takes back a start for one that isn't live`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    _ = try await recording.recordings.start(wedding: "w", camera: "main")
    #expect(try await recording.recordings.stop(wedding: "w", camera: "main").isEmpty)
    await #expect(throws: APIError.self) {
      try await recording.recordings.stop(wedding: "w", camera: "main")
    }
    try await publish(recording)
    #expect(try await recording.states().isEmpty)
  }

  @Test func `a stop keeps one that isn't live from being recorded by itself`() async throws {
    let recording = try await RecordingNode()
    #expect(try await recording.recordings.stop(wedding: "w", camera: "main").isEmpty)
    try await publish(recording)
    #expect(try await recording.states().isEmpty)
  }

  @Test func `completing one quality leaves the others alone`() async throws {
    let recording = try await RecordingNode(qualities: ["source", "720p"])
    let key = try #require(StreamKey(wedding: "w"))
    let publisher = try await recording.node.publish(try recording.node.token())
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    let rung = recording.service.desk.open(key, quality: "720p", plan: nil)
    rung.append([RecordedMessage(.audio, timestamp: 5, payload: [0xAF, 1, 7])])
    func infos() async throws -> [String: RecordingInfo] {
      let all = try await recording.recordings.recordings(ofWedding: "w")
      return Dictionary(all.map { ($0.quality, $0) }, uniquingKeysWith: { first, _ in first })
    }
    #expect(try await eventually { try await infos()["720p"]?.fileSize ?? 0 > 0 })
    let id = try #require(try await infos()["720p"]?.recordingId)
    _ = try await recording.recordings.complete(id)
    #expect(try await eventually { try await infos()["720p"]?.state == "completed" })
    #expect(!rung.isWanted)
    #expect(try await infos()["source"]?.state == "recording")
    let before = try #require(try await infos()["source"]?.fileSize)
    await publisher.send(encoder.messages(from: 2, seconds: 2))
    #expect(try await eventually { try await infos()["source"]?.fileSize ?? 0 > before })
    // Nor does it begin anew before somebody asks for it.
    #expect(recording.service.desk.wants(key, "source"))
    #expect(!recording.service.desk.wants(key, "720p"))
    await publisher.leave()
  }
}

@Suite struct `A recording that is watched` {
  @Test func `plays from byte ranges, and has its pictures beside it`() async throws {
    let recording = try await RecordingNode()
    let id = try await recording.complete()
    let base = "/hls/w/recordings/\(id)/"
    let (head, playlist) = try await recording.node.get(base + "index.m3u8")
    #expect(head.status == .ok)
    #expect(head.headerFields[.contentType] == "application/vnd.apple.mpegurl")
    let text = String(decoding: playlist, as: UTF8.self)
    #expect(text.contains("#EXT-X-BYTERANGE:299000@1000\nhls.mp4\n"))
    var fields = HTTPFields()
    fields[.range] = "bytes=1000-299999"
    let (part, bytes) = try await recording.node.get(base + "hls.mp4", .get, fields)
    #expect(part.status == .partialContent)
    #expect(part.headerFields[.contentRange] == "bytes 1000-299999/300000")
    #expect(bytes == Array(RecordingNode.movie[1_000...]))
    let (whole, movie) = try await recording.node.get(base + "recording.mp4")
    #expect(whole.status == .ok)
    #expect(movie == RecordingNode.movie)
    fields = [:]
    fields[.ifNoneMatch] = whole.headerFields[.eTag]
    let again = try await recording.node.get(base + "recording.mp4", .get, fields)
    #expect(again.response.status == .notModified)
    fields = [:]
    fields[.range] = "bytes=300000-"
    let beyond = try await recording.node.get(base + "hls.mp4", .get, fields)
    #expect(beyond.response.status == .rangeNotSatisfiable)
    #expect(try await recording.node.get(base + "sprite.jpg").body == [1])
  }

  @Test(arguments: ["nothing.mp4", "recording.json"])
  func `has no other files`(name: String) async throws {
    let recording = try await RecordingNode()
    let id = try await recording.complete()
    let answer = try await recording.node.get("/hls/w/recordings/\(id)/\(name)")
    #expect(answer.response.status == .notFound)
    #expect(
      String(decoding: answer.body, as: UTF8.self).contains("This recording has no such file"))
  }

  @Test func `needs a token of its wedding, and hands it on`() async throws {
    let recording = try await RecordingNode { $0.watchNeedsToken = true }
    let id = try await recording.complete()
    let base = "/hls/w/recordings/\(id)/"
    let own = try recording.node.token(.watch)
    #expect(try await recording.node.get(base + "index.m3u8").response.status == .unauthorized)
    #expect(!recording.service.shelf.isWatched(id))
    let other = try recording.node.token(.watch, wedding: "x")
    for file in ["index.m3u8", "hls.mp4", "sprite.vtt"] {
      let path = base + file + "?token="
      #expect(try await recording.node.get(path + other).response.status == .forbidden)
      let answer = try await recording.node.get(path + own)
      #expect(answer.response.status == .ok)
      #expect(answer.response.headerFields[.cacheControl]?.hasPrefix("private") == true)
      let text = String(decoding: answer.body, as: UTF8.self)
      if file == "index.m3u8" { #expect(text.contains("\nhls.mp4?token=\(own)\n")) }
      if file == "sprite.vtt" { #expect(text.contains("sprite.jpg?token=\(own)#xywh")) }
    }
    // Whoever may watch keeps it from being deleted by its age, and nobody else.
    #expect(recording.service.shelf.isWatched(id))
    // Not under another wedding's name, whoever asks.
    let stolen = try await recording.node.get("/hls/x/recordings/\(id)/hls.mp4?token=\(other)")
    #expect(stolen.response.status == .notFound)
  }

  @Test func `is gone when it is deleted`() async throws {
    let recording = try await RecordingNode()
    let id = try await recording.complete()
    #expect(try await recording.recordings.delete(id) == .deleted)
    for path in ["\(id)/hls.mp4", "\(id)/index.m3u8", "rec_never/index.m3u8", "index.m3u8"] {
      let answer = try await recording.node.get("/hls/w/recordings/\(path)")
      #expect(answer.response.status == .notFound)
      #expect(String(decoding: answer.body, as: UTF8.self).contains("There is no such recording"))
    }
  }
}
