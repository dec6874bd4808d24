package import Media
import Synchronization

/// Where streams come to be recorded: answers at once, and tells the service later.
///
/// Shared by all loops; none of its calls waits.
package final class RecordingDesk: Sendable {
  private enum Wish { case start, stop }

  private struct State {
    var number: UInt64 = 0
    var wishes: [StreamKey: Wish] = [:]
    /// Recordings that wait for their publishers, by stream.
    var waiting: [StreamKey: Int] = [:]
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

  /// Whether a stream is to be recorded whose publisher begins.
  package func wants(_ stream: StreamKey) -> Bool {
    state.withLock { state in
      switch state.wishes[stream] {
      case .start: true
      case .stop: false
      case nil: configuration.isAutomatic || state.waiting[stream] != nil
      }
    }
  }

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

  /// Somebody wants a stream to be recorded from now on, or no longer.
  package func wish(_ stream: StreamKey, isRecorded: Bool) {
    state.withLock { $0.wishes[stream] = isRecorded ? .start : .stop }
  }

  /// The stream is over: whoever publishes it next is recorded as the configuration says.
  package func forget(_ stream: StreamKey) { state.withLock { $0.wishes[stream] = nil } }

  /// A recording of a stream is open, or no longer.
  func note(_ stream: StreamKey, isOpen: Bool) {
    state.withLock { state in
      let count = (state.waiting[stream] ?? 0) + (isOpen ? 1 : -1)
      state.waiting[stream] = count > 0 ? count : nil
    }
  }
}
