import Cache
import HTTPSemantics
import HTTPServer
import HTTPTypes

/// A large object that is kept in slices: what is known of the whole.
///
/// Slices are kept under keys of their own, which this object's validators are part of: slices of
/// one version never meet those of another.
final class SlicedObject: Sendable {
  /// What it was asked by: `host/path?query`.
  let name: String
  /// Under which this is kept: the name's, or the choice's by Vary.
  let key: CacheKey
  /// As the head of the whole: a 200.
  let response: HTTPResponse
  let reference: SliceReference
  let slices: Slices
  let freshness: Freshness
  private let validators: Validators

  init(
    _ name: String, _ key: CacheKey, _ response: HTTPResponse, _ reference: SliceReference,
    _ slices: Slices, freshness: Freshness
  ) {
    self.name = name
    self.key = key
    self.response = response
    self.reference = reference
    self.slices = slices
    self.freshness = freshness
    validators = EdgeFields.validators(response.headerFields)
  }

  /// How long the whole is.
  var total: Int { reference.total }

  /// The same, with another head or another age.
  func with(_ response: HTTPResponse? = nil, freshness: Freshness) -> SlicedObject {
    SlicedObject(
      name, key, response ?? self.response, reference, slices, freshness: freshness)
  }

  /// The same, stale.
  func marked(_ mark: StaleMark, grace: Int64) -> SlicedObject {
    with(freshness: freshness.marked(mark, grace: grace))
  }

  /// How many bytes a slice has.
  func length(of number: Int) -> Int { slices.range(of: number, total: total).count }

  var tags: [String] { EdgeStore.tags(name, response.headerFields) }

  // MARK: What a request gets of it

  /// Decides.
  ///
  /// - Parameter request: as the client asked it.
  /// - Returns: which parts of it, once its conditions have been seen to.
  func part(for request: HTTPRequest) -> Part {
    let copy = Request(request, limits: RequestLimits())
    switch validators.evaluate(copy) {
    case .failed: return .refused(412)
    case .notModified: return .notModified
    case .proceed: break
    }
    switch validators.range(copy, length: total) {
    case .whole: return .whole
    case .single(let range): return .part(range)
    case .several(let ranges): return .parts(ranges)
    case .unsatisfiable: return .refused(416)
    }
  }

  enum Part: Equatable {
    case whole
    case part(Range<Int>)
    case parts([Range<Int>])
    case notModified
    /// 412 or 416.
    case refused(Int)
  }

  /// The slice that a request needs first; nil where it needs none.
  func first(for request: HTTPRequest) -> Int? {
    guard request.method == .get else { return nil }
    switch part(for: request) {
    case .whole: return 0
    case .part(let range): return slices.number(of: range.lowerBound)
    case .parts(let ranges): return ranges.first.map { slices.number(of: $0.lowerBound) }
    case .notModified, .refused: return nil
    }
  }
}
