import Cache
import Foundation
import HTTPTypes

/// What stands before a body on disk, as JSON: a response's head and how fresh it is, of how many
/// bytes and of which version where it is kept in slices, or by which fields responses are chosen.
struct EdgeDiskHead: Codable {
  /// Of an object that is kept in slices.
  private struct Whole: Codable {
    var total: Int
    var entityTag: String?
    var lastModified: String?
    var sliceBytes: Int
  }

  private var status = 0
  /// Names and values in turn.
  private var fields: [String] = []
  private var freshness: Freshness?
  private var whole: Whole?
  /// The value of a Vary field.
  private var chosenBy: String?

  init(_ object: EdgeObject) {
    status = object.response.status.code
    fields = object.response.headerFields.flatMap { [$0.name.rawName, $0.value] }
    freshness = object.freshness
  }

  init(_ object: SlicedObject) {
    status = object.response.status.code
    fields = object.response.headerFields.flatMap { [$0.name.rawName, $0.value] }
    freshness = object.freshness
    whole = Whole(
      total: object.total, entityTag: object.reference.entityTag,
      lastModified: object.reference.lastModified, sliceBytes: object.slices.size)
  }

  init(_ rule: VaryRule) {
    chosenBy = rule.names.map(\.canonicalName).joined(separator: ",")
  }

  /// Reads one; nil where it is none.
  init?(_ bytes: [UInt8]) {
    guard let head = try? JSONDecoder().decode(EdgeDiskHead.self, from: Data(bytes)) else {
      return nil
    }
    self = head
  }

  var bytes: [UInt8]? { (try? JSONEncoder().encode(self)).map { Array($0) } }

  /// What an object on disk is to the edge.
  ///
  /// - Parameters:
  ///   - object: as it was read.
  ///   - grace: seconds for which it may be served where it was purged softly.
  /// - Returns: nil where its head makes no sense.
  func found(_ object: DiskObject, grace: Int64) -> EdgeDisk.Found? {
    if let chosenBy {
      return VaryRule([.vary: chosenBy]).map { .chosen($0) }
    }
    guard var freshness, (200..<600).contains(status), fields.count.isMultiple(of: 2) else {
      return nil
    }
    var response = HTTPResponse(status: .init(code: status))
    for index in stride(from: 0, to: fields.count, by: 2) {
      guard let name = HTTPField.Name(fields[index]) else { return nil }
      response.headerFields.append(HTTPField(name: name, value: fields[index + 1]))
    }
    if let mark = object.mark { freshness = freshness.marked(mark, grace: grace) }
    if let whole {
      guard (1...SlicedObject.mostBytes).contains(whole.total), whole.sliceBytes > 0 else {
        return nil
      }
      let reference = SliceReference(
        total: whole.total, entityTag: whole.entityTag, lastModified: whole.lastModified)
      return .sliced(
        SlicedObject(
          object.name, object.key, response, reference, Slices(size: whole.sliceBytes),
          freshness: freshness), tags: object.tags)
    }
    return .object(
      EdgeObject(object.name, response, body: object.body, freshness: freshness), object.key,
      tags: object.tags)
  }
}
