package import Storage
import Store
import Synchronization
import Telemetry

/// The recordings that can be watched, for all loops: who asks is answered at once.
package final class RecordingShelf: Sendable {
  /// One of them.
  package struct Entry: Sendable {
    package let id: String
    package let wedding: String
    package let camera: String
    package let quality: String
    /// By name.
    package let files: [String: KeptFile]
  }

  private struct State {
    var entries: [String: Entry] = [:]
    /// When each was asked for last, in milliseconds since 1970.
    var watched: [String: Int64] = [:]
  }

  /// Who paused for so long watches no more.
  private static let watchMilliseconds: Int64 = 300_000

  private let state = Mutex(State())
  private let now: @Sendable () -> Int64

  init(now: @escaping @Sendable () -> Int64) { self.now = now }

  /// A recording; nil where there is none of that name.
  package func entry(_ id: String) -> Entry? { state.withLock { $0.entries[id] } }

  /// Somebody who may watches a recording.
  package func noteViewer(of id: String) {
    let now = now()
    state.withLock { state in
      if state.entries[id] != nil { state.watched[id] = now }
    }
  }

  /// Whether somebody has watched it of late.
  package func isWatched(_ id: String) -> Bool {
    let now = now()
    return state.withLock { now - ($0.watched[id] ?? 0) < Self.watchMilliseconds }
  }

  var count: Int { state.withLock { $0.entries.count } }

  /// A recording can be watched from now on, or from elsewhere.
  func put(_ recording: KeptRecording, folder: RecordingFolder) {
    guard !recording.document.products.isEmpty else { return }
    let files = recording.document.products.map { product in
      (
        product.file,
        KeptFile(
          path: folder.file(product.file), bytes: product.bytes,
          contentType: product.contentType, object: product.object)
      )
    }
    let entry = Entry(
      id: recording.id, wedding: recording.record.stream.wedding,
      camera: recording.record.stream.camera, quality: recording.record.quality,
      files: Dictionary(files, uniquingKeysWith: { first, _ in first }))
    state.withLock { $0.entries[entry.id] = entry }
  }

  /// Another process of the node has deleted it.
  package func forget(_ id: String) { remove(id) }

  /// It can be watched no more.
  func remove(_ id: String) {
    state.withLock { state in
      state.entries[id] = nil
      state.watched[id] = nil
    }
  }
}
