import Cluster
import Foundation

/// What an operator wants to be forgotten, as `POST /cache/purge` has it:
/// `{"tag": "w1", "soft": true}`, with `key`, `prefix` or `tag`, each a text or a list of such.
struct PurgeOrder: Decodable, Sendable {
  /// One or many.
  private struct Texts: Decodable {
    var all: [String]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let one = try? container.decode(String.self) {
        all = [one]
      } else {
        all = try container.decode([String].self)
      }
    }
  }

  /// How many may be named at once.
  static let most = 10_000

  let invalidations: [Invalidation]
  /// Whether no other node is told.
  let isLocal: Bool

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case key, prefix, tag, soft, local
  }

  /// Any name, so that those that are unknown are seen.
  private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let names = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    if let stranger = names.first(where: { CodingKeys(stringValue: $0) == nil }) {
      throw Refused("\(stranger) is no name here: there are key, prefix, tag, soft and local")
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let isSoft = try container.decodeIfPresent(Bool.self, forKey: .soft) ?? false
    isLocal = try container.decodeIfPresent(Bool.self, forKey: .local) ?? false
    let kinds: [(CodingKeys, (String) -> Invalidation.Target)] = [
      (.key, { .key($0) }), (.prefix, { .prefix($0) }), (.tag, { .tag($0) }),
    ]
    invalidations = try kinds.flatMap { name, target in
      (try container.decodeIfPresent(Texts.self, forKey: name)?.all ?? []).map {
        Invalidation(target($0), isSoft: isSoft)
      }
    }
    guard (1...Self.most).contains(invalidations.count) else {
      throw Refused("1 to \(Self.most) keys, prefixes and tags are purged at once")
    }
    guard invalidations.allSatisfy(\.isValid) else {
      throw Refused("a key, prefix or tag has 1 to 2048 bytes of text without control characters")
    }
  }

  /// Why an order is none; a sentence without its full stop.
  struct Refused: Error {
    let words: String
    init(_ words: String) { self.words = words }
  }

  /// Reads a body.
  ///
  /// - Throws: `Refused`.
  static func read(_ body: [UInt8]) throws(Refused) -> PurgeOrder {
    do {
      return try JSONDecoder().decode(PurgeOrder.self, from: Data(body))
    } catch let refused as Refused {
      throw refused
    } catch {
      throw Refused(
        "the body is JSON such as {\"tag\": \"wedding-1\", \"soft\": true}, with key, prefix or tag"
      )
    }
  }
}
