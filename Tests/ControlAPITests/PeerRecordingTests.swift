import Foundation
import HTTPServer
import HTTPTypes
import Synchronization
import Testing

@testable import ControlAPI

/// A node's recordings, as other nodes ask about them.
private final class NodeRecordings: RecordingDirectory {
  let asked = Mutex<[String]>([])

  private func note(_ words: String) { asked.withLock { $0.append(words) } }

  static func info(_ id: String) -> RecordingInfo {
    var info = RecordingInfo(
      recordingId: id, weddingId: "w", cameraId: "main", quality: "source", state: "completed",
      startedAt: 1, endedAt: 61, duration: 60.5, fileSize: 1_000)
    info.cdnUrl = "https://cdn/w/\(id)/recording.mp4"
    info.thumbnails = ["https://node/a.jpg"]
    info.video = .init(codec: "h264", width: 640, height: 360, frameRate: 29.97, bitrate: 1)
    info.gaps = [.init(at: 1.5, seconds: nil, reason: "interrupted")]
    info.retryAt = 7
    info.leftOut = ["a", "b"]
    return info
  }

  func start(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    note("start \(wedding)/\(camera)")
    return [Self.info("rec_new")]
  }

  func stop(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    note("stop \(wedding)/\(camera)")
    throw APIError(404, "not_recording", "It is not.")
  }

  func complete(_ recording: String) async throws(APIError) -> RecordingInfo {
    note("complete \(recording)")
    return Self.info(recording)
  }

  func recording(_ recording: String) async throws(APIError) -> RecordingInfo {
    guard recording == "rec_a" else { throw APIError(404, "no_recording", "None.") }
    return Self.info(recording)
  }

  func recordings(ofWedding wedding: String) async throws(APIError) -> [RecordingInfo] { [] }

  func delete(_ recording: String) async throws(APIError) -> RecordingRemoval {
    note("delete \(recording)")
    return recording == "rec_a" ? .deleted : .underWay("the storage is away")
  }
}

@Suite struct `Recordings, among nodes` {
  private let own = NodeRecordings()

  private func ask(
    _ question: PeerRecordings.Question
  ) async -> (status: Int, body: [UInt8]) {
    let (method, path) = PeerRecordings.request(question)
    return await send(method, path)
  }

  private func send(
    _ method: HTTPRequest.Method, _ path: String
  ) async -> (status: Int, body: [UInt8]) {
    let request = HTTPRequest(method: method, scheme: "https", authority: "node", path: path)
    let answer = await PeerRecordings.call(own).handler(APIRequest(request: request))
    return (answer.response.status.code, answer.body)
  }

  @Test func `what one node asks the other one understands, and the answer comes back whole`()
    async throws
  {
    let has = await ask(.has("rec_a"))
    #expect(try PeerRecordings.info(has.status, has.body) == NodeRecordings.info("rec_a"))
    let completed = await ask(.complete("rec_b"))
    #expect(
      try PeerRecordings.info(completed.status, completed.body) == NodeRecordings.info("rec_b"))
    let started = await ask(.start(wedding: "w", camera: "two"))
    #expect(
      try PeerRecordings.infos(started.status, started.body) == [NodeRecordings.info("rec_new")])
    let deleted = await ask(.delete("rec_a"))
    #expect(try PeerRecordings.removal(deleted.status, deleted.body) == .deleted)
    let waits = await ask(.delete("rec_b"))
    #expect(
      try PeerRecordings.removal(waits.status, waits.body) == .underWay("the storage is away"))
    #expect(
      own.asked.withLock { $0 } == [
        "complete rec_b", "start w/two", "delete rec_a", "delete rec_b",
      ])
  }

  @Test func `a refusal comes back as it was said`() async throws {
    let stopped = await ask(.stop(wedding: "w", camera: "main"))
    #expect(throws: APIError(404, "not_recording", "It is not.")) {
      try PeerRecordings.infos(stopped.status, stopped.body)
    }
    let has = await ask(.has("rec_x"))
    #expect(throws: APIError(404, "no_recording", "None.")) {
      try PeerRecordings.info(has.status, has.body)
    }
  }

  @Test(arguments: ["", "{}", "[]", "no json", #"{"error":"no"}"#])
  func `what is no answer is one of another version`(body: String) throws {
    for status in [200, 204, 302, 404, 500] where body != "[]" || status != 200 {
      for read in [
        { _ = try PeerRecordings.info(status, Array(body.utf8)) },
        { _ = try PeerRecordings.infos(status, Array(body.utf8)) },
        { _ = try PeerRecordings.removal(status, Array(body.utf8)) },
      ] {
        let error = #expect(throws: APIError.self) { try read() }
        #expect(error?.status == 502)
        #expect(error?.code == "bad_node")
      }
    }
  }

  @Test(arguments: [
    (HTTPRequest.Method.get, "/cluster/recordings"), (.get, "/cluster/recordings/a/b"),
    (.post, "/cluster/recordings/a"), (.post, "/cluster/recordings/a/delete"),
    (.put, "/cluster/recordings/a"), (.post, "/cluster/recordings/streams/w/start"),
    (.post, "/cluster/recordings/streams/w/main/burn"), (.get, "/"),
  ])
  func `anything else is nothing`(method: HTTPRequest.Method, path: String) async {
    #expect(await send(method, path).status == 404)
    #expect(own.asked.withLock { $0 }.isEmpty)
  }

  // MARK: What is told

  @Test func `what other nodes are told of a recording is all but who has it`() throws {
    var info = NodeRecordings.info("rec_a")
    let told = try #require(RecordingInfo(json: info.json(atMost: 8_000)))
    #expect(told == info)
    info.node = "one"
    info.reachable = true
    info.progress = 0.5
    #expect(RecordingInfo(json: info.json(atMost: 8_000)) == told)
  }

  @Test func `lists are left out where there is too much of them`() throws {
    var info = NodeRecordings.info("rec_a")
    info.gaps = (0..<1_000).map { .init(at: Double($0), seconds: 1, reason: "slow_disk") }
    info.leftOut = (0..<1_000).map { "file \($0)" }
    var text = info.json(atMost: 8_000)
    #expect(text.utf8.count <= 8_000)
    var told = try #require(RecordingInfo(json: text))
    #expect(told.gaps.isEmpty)
    #expect(told.leftOut == nil)
    #expect(told.thumbnails == info.thumbnails)
    info.reason = String(repeating: "long ", count: 10_000)
    text = info.json(atMost: 8_000)
    #expect(text.utf8.count <= 8_000)
    told = try #require(RecordingInfo(json: text))
    #expect(told.cdnUrl == info.cdnUrl)
  }
}
