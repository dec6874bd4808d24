import Bytes

/// An object as it stands in a file: all that it is, and sums of all of it.
///
/// ```
/// "WLCACHE1"  8 bytes
/// length      u32, of the label
/// sum         u32, CRC-32C of the label
/// label       key (u64 low, u64 high), name, tags, head, length and sum of the body
/// body
/// ```
/// Numbers are big-endian; texts have their length before them (u32).
package struct DiskObject: Equatable, Sendable {
  package var key: CacheKey
  /// What it was asked by: tells it from another of the same key, and is what prefixes are of.
  package var name: String
  /// Under which it may be purged.
  package var tags: [String]
  /// Its fields and times, as the cache's owner wrote them.
  package var head: [UInt8]
  package var body: [UInt8]
  /// What was said of it since; not in its file.
  package var mark: StaleMark?

  package init(key: CacheKey, name: String, tags: [String], head: [UInt8], body: [UInt8]) {
    self.key = key
    self.name = name
    self.tags = tags
    self.head = head
    self.body = body
  }

  /// Why a file is not the object that was stored.
  enum Damage: Error, Equatable {
    case notOurs, truncated, labelSum, bodySum, anotherKey
  }

  private static let magic = Array("WLCACHE1".utf8)
  static let prefixBytes = 16
  /// Longer labels are none: a name has 16 KiB at most, as have fields and tags.
  private static let mostLabelBytes = 256 << 10
  /// What may stand before a body.
  static let mostHeadBytes = prefixBytes + mostLabelBytes

  /// The file's bytes before the body.
  var fileHead: [UInt8] {
    var label: [UInt8] = []
    label.append(u64: key.low)
    label.append(u64: key.high)
    label.append(text: Array(name.utf8))
    label.append(u32: UInt32(tags.count))
    for tag in tags { label.append(text: Array(tag.utf8)) }
    label.append(text: head)
    label.append(u64: UInt64(body.count))
    label.append(u32: Checksum.of(body.span))
    var out = DiskObject.magic
    out.append(u32: UInt32(label.count))
    out.append(u32: Checksum.of(label.span))
    return out + label
  }

  /// What the file takes.
  var fileBytes: Int { fileHead.count + body.count }

  /// How long the label is that a file's first `prefixBytes` announce; nil for none of ours.
  static func labelBytes(_ prefix: [UInt8]) -> Int? {
    guard prefix.count >= prefixBytes, prefix.starts(with: magic) else { return nil }
    var cursor = ByteCursor(at: magic.count)
    let length = (try? cursor.u32(prefix.span)).map { Int($0) }
    return length.flatMap { $0 <= mostLabelBytes ? $0 : nil }
  }

  /// Takes a file for an object.
  ///
  /// - Parameters:
  ///   - fileHead: its bytes up to the label's end.
  ///   - body: the others.
  ///   - key: that it is to have.
  /// - Throws: what is wrong with it; it is of no use then.
  init(fileHead: [UInt8], body: [UInt8], key: CacheKey) throws(Damage) {
    let span = fileHead.span
    guard span.count >= Self.prefixBytes else { throw .truncated }
    guard let length = Self.labelBytes(fileHead) else { throw .notOurs }
    do {
      var cursor = ByteCursor(at: Self.prefixBytes - 4)
      let sum = try cursor.u32(span)
      guard cursor.left(span) == length else { throw Damage.truncated }
      guard Checksum.of(span.extracting(droppingFirst: Self.prefixBytes)) == sum else {
        throw Damage.labelSum
      }
      self.key = CacheKey(low: try cursor.u64(span), high: try cursor.u64(span))
      guard self.key == key else { throw Damage.anotherKey }
      name = String(decoding: try cursor.text(span), as: UTF8.self)
      let count = Int(try cursor.u32(span))
      guard count <= length else { throw Damage.notOurs }
      var tags: [String] = []
      for _ in 0..<count { tags.append(String(decoding: try cursor.text(span), as: UTF8.self)) }
      self.tags = tags
      head = try cursor.text(span)
      let bodyCount = try cursor.u64(span)
      let bodySum = try cursor.u32(span)
      guard UInt64(body.count) == bodyCount else { throw Damage.truncated }
      guard Checksum.of(body.span) == bodySum else { throw Damage.bodySum }
      self.body = body
    } catch let damage as Damage {
      throw damage
    } catch {
      throw .truncated
    }
  }
}

extension [UInt8] {
  mutating func append(text: [UInt8]) {
    append(u32: UInt32(text.count))
    self += text
  }
}

extension ByteCursor {
  /// Bytes with their length before them.
  mutating func text(_ bytes: borrowing Span<UInt8>) throws(ByteError) -> [UInt8] {
    let count = Int(try u32(bytes))
    try need(count, bytes)
    defer { offset += count }
    return [UInt8](copying: bytes.extracting(offset..<offset + count))
  }
}
