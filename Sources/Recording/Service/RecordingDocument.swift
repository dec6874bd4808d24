import Foundation
package import Storage
package import Transcode

/// What is known of a recording besides what its record is found by; kept as JSON.
package struct RecordingDocument: Codable, Sendable, Equatable {
  /// One file of it, as it was received.
  package struct Part: Codable, Sendable, Equatable {
    package var file: String
    /// In milliseconds since 1970.
    package var started: Int64
    /// Nil while it is written.
    package var ended: Int64?
    package var bytes = 0
    /// How much of the stream it holds.
    package var milliseconds: Int64 = 0
    /// Why it ended, as a stable word.
    package var end: String?
    /// Which of the recording's publishers it is of, counted from 0; none before the first version.
    package var run: Int?

    init(file: String, started: Int64, run: Int? = nil) {
      self.file = file
      self.started = started
      self.run = run
    }
  }

  /// A file that was made of it, and where it is kept.
  package struct Product: Codable, Sendable, Equatable {
    package var file: String
    package var bytes: Int
    package var contentType: String
    /// What to ask the storage for; nil before it has it.
    package var object: StoredObject?
  }

  /// Of the publisher.
  package var plan: String?
  package var parts: [Part] = []
  /// Why it ended, failed or waits: a stable word, and words for a person.
  package var code: String?
  package var reason: String?
  /// What was made of its parts; without the segments, which the playlist lists.
  package var result: RemuxResult?
  package var products: [Product] = []

  package init(plan: String? = nil) { self.plan = plan }

  /// Adds a part: behind all others of its publisher and of those before that.
  mutating func insert(_ part: Part) {
    let place = parts.lastIndex { ($0.run ?? 0) <= (part.run ?? 0) }
    parts.insert(part, at: place.map { $0 + 1 } ?? 0)
  }

  /// How much of the stream it holds.
  package var milliseconds: Int64 {
    result.map { Int64($0.durationSeconds * 1_000) } ?? parts.reduce(0) { $0 + $1.milliseconds }
  }

  /// What its parts take.
  package var partBytes: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// What is kept of it in the end.
  package var keptBytes: Int {
    products.isEmpty ? partBytes : products.reduce(0) { $0 + $1.bytes }
  }

  init(json: String) {
    let read = try? JSONDecoder().decode(RecordingDocument.self, from: Data(json.utf8))
    self = read ?? RecordingDocument()
  }

  var json: String { String(json: self) }
}
