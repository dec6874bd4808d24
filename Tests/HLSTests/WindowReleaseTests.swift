import Media
import Testing

@testable import HLS

@Suite struct `Live window of hours` {
  private func segment(_ sequence: Int) -> Segment {
    Segment(
      name: Segment.name(sequence: sequence), sequence: sequence, discontinuitySequence: 0,
      bytes: [0x47, 1, 2, 3], duration: MediaTime(seconds: 4),
      startTime: MediaTime(seconds: Double(sequence) * 4), programDate: Int64(sequence) * 4_000,
      isDiscontinuity: false, isIndependent: true, targetDuration: 4)
  }

  private func window(listed: Int64, held: Int64) -> LiveWindow {
    var configuration = LiveWindow.Configuration(length: MediaTime(milliseconds: listed * 1_000))
    configuration.held = MediaTime(milliseconds: held * 1_000)
    return LiveWindow(configuration: configuration)
  }

  @Test func `what is elsewhere is listed on without its bytes`() {
    var window = window(listed: 400, held: 40)
    var released: [Int] = []
    for number in 0..<50 {
      _ = window.append(segment(number), now: .zero)
      let (gone, isChanged) = window.release(now: .zero) { _ in .there }
      released += gone.map(\.sequence)
      #expect(!isChanged)
      #expect(gone.allSatisfy { $0.bytes.count == 4 })
    }
    #expect(released == Array(0..<40))
    #expect(window.segments.map(\.sequence) == Array(0..<50))
    #expect(
      window.segments.map(\.bytes.isEmpty) == Array(repeating: true, count: 40)
        + Array(repeating: false, count: 10))
    #expect(window.segments.allSatisfy { $0.byteCount == 4 && $0.bitrate == 8 })
    #expect(window.heldDuration == MediaTime(seconds: 40))
  }

  @Test func `what leaves the list is counted no more`() {
    var window = window(listed: 80, held: 40)
    for number in 0..<100 {
      _ = window.append(segment(number), now: MediaTime(seconds: Double(number) * 4))
      _ = window.release(now: .zero) { _ in .there }
    }
    #expect(window.segments.map(\.sequence) == Array(80..<100))
    #expect(window.releasedCount == 10)
    #expect(window.heldDuration == MediaTime(seconds: 40))
    #expect(window.retiredSegments.allSatisfy { $0.bytes.isEmpty })
  }

  @Test func `what is not there yet is waited for, in order`() {
    var window = window(listed: 400, held: 24)
    for number in 0..<20 { _ = window.append(segment(number), now: .zero) }
    let (none, _) = window.release(now: .zero) { _ in .underway }
    #expect(none.isEmpty)
    let (gone, isChanged) = window.release(now: .zero) { $0.sequence == 3 ? .underway : .there }
    #expect(gone.map(\.sequence) == [0, 1, 2])
    #expect(!isChanged)
    #expect(window.heldDuration == MediaTime(seconds: 68))
  }

  @Test func `nobody is sent behind one that is lost`() {
    var window = window(listed: 400, held: 24)
    for number in 0..<20 { _ = window.append(segment(number), now: .zero) }
    let (gone, isChanged) = window.release(now: .zero) { $0.sequence == 3 ? .nowhere : .there }
    #expect(gone.map(\.sequence) == [0, 1, 2] + Array(4..<14))
    #expect(isChanged)
    #expect(window.playlist?.mediaSequence == 4)
    #expect(window.segments.map(\.sequence) == Array(4..<20))
    // It can be fetched for as long as anything that has left a playlist.
    #expect(window.retiredSegments.map(\.sequence) == [0, 1, 2, 3])
    #expect(window.heldDuration == MediaTime(seconds: 24))
  }
}
