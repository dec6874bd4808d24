package import Media
import Synchronization

/// Where streams come to be recorded: answers at once, and tells the service later.
///
/// Shared by all loops; none of its calls waits.
package final class RecordingDesk: Sendable {
  /// What somebody wanted of a stream, newest first.
  private struct Wishes {
    /// Of all its qualities: whether they are to be recorded.
    var all: Bool?
    /// Of those since.
    var qualities: [String: Bool] = [:]
  }

  private struct State {
    var number: UInt64 = 0
    var wishes: [StreamKey: Wishes] = [:]
    /// How many recordings wait for their publishers, or are written.
    var open: [OpenRecording.Name: Int] = [:]
  }

  private let configuration: RecordingConfiguration
  private let state = Mutex(State())
  private let opened: @Sendable (RecordingIntake) -> Void

  /// The renditions that are recorded of each stream.
  package var qualities: [String] { configuration.qualities }

  /// Makes a desk.
  ///
  /// - Parameters:
  ///   - configuration: what is recorded.
  ///   - opened: told of each queue, whose messages are to be written from now on.
  init(
    _ configuration: RecordingConfiguration, opened: @escaping @Sendable (RecordingIntake) -> Void
  ) {
    self.configuration = configuration
    self.opened = opened
  }

  /// Whether a quality is to be recorded of a stream whose publisher begins.
  package func wants(_ stream: StreamKey, _ quality: String) -> Bool {
    guard qualities.contains(quality) else { return false }
    return state.withLock { state in
      let wishes = state.wishes[stream]
      return wishes?.qualities[quality] ?? wishes?.all
        ?? (configuration.isAutomatic
          || state.open[OpenRecording.Name(stream: stream, quality: quality)] != nil)
    }
  }

  /// Whether anything is to be recorded of a stream whose publisher begins.
  func wants(_ stream: StreamKey) -> Bool { qualities.contains { wants(stream, $0) } }

  /// A publisher's messages follow.
  ///
  /// - Parameters:
  ///   - stream: whose.
  ///   - quality: the rendition of it.
  ///   - plan: of the publisher.
  /// - Returns: where they are to go.
  package func open(_ stream: StreamKey, quality: String, plan: String?) -> RecordingIntake {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    let intake = RecordingIntake(
      number: number, stream, quality: quality, plan: plan, limitBytes: configuration.bufferBytes)
    opened(intake)
    return intake
  }

  /// Somebody wants a stream to be recorded from now on, or no longer, whether it is live or not.
  ///
  /// That holds until somebody wants something else, or the stream is over.
  package func wish(_ stream: StreamKey, isRecorded: Bool) {
    state.withLock { $0.wishes[stream] = Wishes(all: isRecorded) }
  }

  /// What was ordered of a stream, as this process goes by it; nil where nothing was.
  package func order(of stream: StreamKey) -> Bool? {
    state.withLock { $0.wishes[stream]?.all }
  }

  /// What is ordered of a stream was found where that is kept: it goes along with the stream.
  ///
  /// - Parameters:
  ///   - isRecorded: nil where nothing is ordered.
  ///   - stream: which; of its qualities what was wanted here holds, unless that is news.
  package func follow(_ isRecorded: Bool?, of stream: StreamKey) {
    state.withLock { state in
      var wishes = state.wishes[stream] ?? Wishes()
      guard wishes.all != isRecorded else { return }
      if isRecorded != nil { wishes.qualities = [:] }
      wishes.all = isRecorded
      state.wishes[stream] = wishes.all == nil && wishes.qualities.isEmpty ? nil : wishes
    }
  }

  /// Somebody wants one quality of a stream to be recorded no longer.
  func end(_ name: OpenRecording.Name) {
    state.withLock { $0.wishes[name.stream, default: Wishes()].qualities[name.quality] = false }
  }

  /// The stream is over: whoever publishes it next is recorded as the configuration says.
  package func forget(_ stream: StreamKey) { state.withLock { $0.wishes[stream] = nil } }

  /// A recording is open, or no longer.
  func note(_ name: OpenRecording.Name, isOpen: Bool) {
    state.withLock { state in
      let count = (state.open[name] ?? 0) + (isOpen ? 1 : -1)
      state.open[name] = count > 0 ? count : nil
    }
  }
}
