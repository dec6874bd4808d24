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

extension String {
  /// A value as JSON, the same text for the same value.
  init(json value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    self.init(decoding: (try? encoder.encode(value)) ?? Data("{}".utf8), as: UTF8.self)
  }
}
