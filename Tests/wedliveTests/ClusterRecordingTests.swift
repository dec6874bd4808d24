import BlockingSupport
import Cluster
import ControlAPI
import Records
import RedisSupport
import Synchronization
import Testing

@testable import wedlive

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Recordings of all nodes` {
  let nodes: RecordingNodes
  let cluster: ClusterRecordings

  init() async throws {
    nodes = try await RecordingNodes()
    cluster = nodes.cluster(nodes.finder)
  }

  private func refusal(_ work: () async throws(APIError) -> Void) async -> String {
    do throws(APIError) {
      try await work()
      return "none"
    } catch {
      return "\(error.status) \(error.code)"
    }
  }

  @Test func `are listed by when they began, each with its node`() async throws {
    nodes["one"].put(NodeRecordings.info("b", started: 2))
    try await nodes.tell(NodeRecordings.info("c", started: 3), of: "two")
    try await nodes.tell(NodeRecordings.info("a", started: 1), of: "three")
    // What this node has told of itself is older than what it knows.
    try await nodes.tell(NodeRecordings.info("old"), of: "one")
    nodes["one"].all.withLock { $0["old"] = nil }
    nodes.takeDown("two")
    let list = try await cluster.list(ofWedding: "w")
    #expect(list.recordings.map(\.recordingId) == ["a", "b", "c"])
    #expect(list.recordings.map(\.node) == ["three", "one", "two"])
    #expect(list.recordings.map(\.reachable) == [true, true, false])
    #expect(list.doubt == nil)
    #expect(try await cluster.recordings(ofWedding: "other") == [])
  }

  @Test func `are doubtful where some can't be read, or Redis can't be asked`() async throws {
    try await nodes.tell(NodeRecordings.info("a"), of: "two")
    try await nodes.tell(NodeRecordings.info("b"), of: "two", document: "[1]")
    let other = NodeRecordings.info("c").json(atMost: 10_000)
    try await nodes.tell(NodeRecordings.info("d"), of: "two", document: other)
    var list = try await cluster.list(ofWedding: "w")
    #expect(list.recordings.map(\.recordingId) == ["a"])
    #expect(list.doubt == "2 are told of in a way that this version can't read")
    nodes.redis.kill()
    list = try await cluster.list(ofWedding: "w")
    #expect(list.recordings.map(\.recordingId) == ["a"])
    #expect(list.doubt?.hasPrefix("Redis, which knows of other nodes' recordings, says: ") == true)
  }

  @Test func `are deleted and completed by the node that keeps each`() async throws {
    nodes["one"].put(NodeRecordings.info("mine"))
    try await nodes.tell(NodeRecordings.info("a"), of: "two")
    nodes["three"].put(NodeRecordings.info("untold"))
    #expect(try await cluster.recording("mine").node == "one")
    #expect(try await cluster.recording("a").node == "two")
    #expect(try await cluster.complete("untold").node == "three")
    #expect(try await cluster.delete("a") == .deleted)
    #expect(try await cluster.delete("mine") == .deleted)
    #expect(nodes["one"].done.withLock { $0 } == ["delete mine"])
    #expect(nodes["two"].done.withLock { $0 } == ["delete a"])
    #expect(nodes["three"].done.withLock { $0 } == ["complete untold"])
    #expect(nodes.known.place(of: "a") == nil)
  }

  @Test func `can't be deleted or completed while their node is away`() async throws {
    try await nodes.tell(NodeRecordings.info("a"), of: "two")
    nodes.silence("two")
    #expect(
      await refusal { () async throws(APIError) in _ = try await cluster.delete("a") }
        == "503 node_away")
    nodes.takeDown("two")
    #expect(
      await refusal { () async throws(APIError) in _ = try await cluster.delete("a") }
        == "503 node_away")
    #expect(
      await refusal { () async throws(APIError) in _ = try await cluster.complete("a") }
        == "503 node_away")
    #expect(
      await refusal { () async throws(APIError) in _ = try await cluster.delete("x") }
        == "404 no_recording")
  }

  @Test func `are refused as the node that keeps them says`() async throws {
    nodes["one"].put(NodeRecordings.info("mine", state: "recording"))
    try await nodes.tell(NodeRecordings.info("a", state: "recording"), of: "two")
    for id in ["mine", "a"] {
      #expect(
        await refusal { () async throws(APIError) in _ = try await cluster.delete(id) }
          == "409 is_recording")
    }
    // Others aren't asked for what this node has.
    #expect(nodes.asked == ["two: DELETE a"])
  }

  @Test func `of a stream are begun and ended by the node that has it`() async throws {
    nodes.own("two")
    #expect(try await cluster.start(wedding: "w", camera: "main").map(\.node) == ["two"])
    #expect(try await cluster.stop(wedding: "w", camera: "main").map(\.node) == ["two"])
    nodes.own("one")
    #expect(try await cluster.start(wedding: "w", camera: "main").map(\.node) == ["one"])
    nodes.own("two", isLive: false)
    #expect(try await cluster.stop(wedding: "w", camera: "main").map(\.node) == ["one"])
    nodes.own("two")
    nodes.takeDown("two")
    #expect(try await cluster.start(wedding: "w", camera: "main").map(\.node) == ["one"])
    #expect(nodes["two"].done.withLock { $0 } == ["start w/main", "stop w/main"])
    #expect(
      nodes["one"].done.withLock { $0 } == ["start w/main", "stop w/main", "start w/main"])
  }
}
