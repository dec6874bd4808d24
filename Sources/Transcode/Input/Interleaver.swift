import Media

/// Brings the frames of two tracks into the order of their decoding times.
///
/// Files may hold a second of sound after a second of pictures; a live stream may not. A track that
/// is silent holds the other one back by `maximumSpan` at most, so memory is bounded.
struct Interleaver {
  private var queues: [Track: [Frame]] = [:]
  private let tracks: [Track]
  private let maximumSpan: MediaTime
  /// The latest time given; nothing earlier follows.
  private var head = MediaTime(ticks: .min)
  /// How late a frame may come and still be sent, at `head`.
  private static let maximumLateness = MediaTime(milliseconds: 1_000)

  /// Waits for these tracks.
  init(tracks: [Track], maximumSpan: MediaTime = MediaTime(milliseconds: 5_000)) {
    self.tracks = tracks
    self.maximumSpan = maximumSpan
  }

  mutating func push(_ frame: Frame) { queues[frame.track, default: []].append(frame) }

  /// Takes out what can't be preceded by anything to come.
  mutating func pop(into output: inout [Frame], isEnding: Bool = false) {
    var heads = Dictionary(uniqueKeysWithValues: tracks.map { ($0, 0) })
    while true {
      var next: (track: Track, frame: Frame)?
      var mustWait = false
      for track in tracks {
        let queue = queues[track] ?? []
        guard let head = heads[track], head < queue.count else {
          mustWait = true
          continue
        }
        if let other = next, other.frame.dts <= queue[head].dts { continue }
        next = (track, queue[head])
      }
      guard let (track, frame) = next else { break }
      if mustWait, !isEnding, let last = queues[track]?.last, last.dts - frame.dts < maximumSpan {
        break
      }
      heads[track, default: 0] += 1
      if let frame = timely(frame) { output.append(frame) }
    }
    for (track, head) in heads where head > 0 { queues[track]?.removeFirst(head) }
  }

  /// Moves a frame that comes late to now; one that comes far too late is dropped.
  private mutating func timely(_ frame: Frame) -> Frame? {
    guard frame.dts < head else {
      head = frame.dts
      return frame
    }
    guard head - frame.dts <= Self.maximumLateness else { return nil }
    var moved = frame
    moved.dts = head
    moved.pts = max(moved.pts, head)
    return moved
  }
}
