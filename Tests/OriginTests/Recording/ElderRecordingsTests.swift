import ControlAPI
import Testing

@testable import Origin

@Suite struct `Recordings of the processes before` {
  private func status(
    _ id: String, _ state: String = "recording", isWriting: Bool = true, bytes: Int64 = 0,
    milliseconds: Int64 = 0
  ) -> RecordingStatus {
    RecordingStatus(
      id: id, wedding: "w", camera: "main", quality: "source", state: state, isWriting: isWriting,
      durationMilliseconds: milliseconds, bytes: bytes)
  }

  private func elder(_ recordings: RecordingStatus...) -> NodeStatus {
    NodeStatus(node: "n", version: "1", recordings: recordings)
  }

  private func info(_ id: String, _ state: String = "recording") -> RecordingInfo {
    RecordingInfo(
      recordingId: id, weddingId: "w", cameraId: "main", quality: "source", state: state,
      startedAt: 1, endedAt: nil, duration: 0.5, fileSize: 10)
  }

  @Test func `grow by what their process says, and by nothing else`() {
    // The one in between knows no more of it than its record.
    let elders = ElderRecordings([
      elder(status("a", isWriting: false)), elder(status("a", bytes: 99, milliseconds: 2_500)),
    ])
    #expect(elders.grown(info("a")).fileSize == 99)
    #expect(elders.grown(info("a")).duration == 2.5)
    #expect(elders.grown(info("b")).fileSize == 10)
    // It has ended since: what its record says is all of it.
    #expect(elders.grown(info("a", "completed")).fileSize == 10)
    #expect(ElderRecordings([elder(status("a", bytes: -5))]).grown(info("a")).fileSize == 10)
    #expect(ElderRecordings([elder(status("a", bytes: .max))]).grown(info("a")).fileSize == 1 << 53)
  }

  @Test func `are in the node's status as those say that write them`() {
    var shown = [
      status("a", isWriting: false), status("own", bytes: 5), status("waits", isWriting: false),
    ]
    let elders = ElderRecordings([
      elder(status("a", bytes: 99), status("own", bytes: 1), status("more", bytes: 7))
    ])
    elders.add(to: &shown)
    #expect(shown.map(\.id) == ["a", "own", "waits", "more"])
    #expect(shown.map(\.bytes) == [99, 5, 0, 7])
    #expect(shown.map(\.isWriting) == [true, true, false, true])
  }
}
