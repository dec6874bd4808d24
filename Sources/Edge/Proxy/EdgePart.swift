import Cache
import HTTPSemantics
import HTTPServer
import HTTPTypes

/// How much of a response that is on its way answers a request.
enum EdgePart: Equatable {
  case whole
  case part(Range<Int>, length: Int)
  case notModified
  /// 412 or 416.
  case refused(Int)

  /// Without any of these a request is for the whole, as those of a crowd are.
  private static let conditions: Set<HTTPField.Name> = [
    .ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .range,
  ]

  /// Asked for each field of each of a crowd: few names begin like those that matter.
  private static func isCondition(_ name: HTTPField.Name) -> Bool {
    let first = name.canonicalName.utf8.first
    return (first == UInt8(ascii: "i") || first == UInt8(ascii: "r")) && conditions.contains(name)
  }

  /// Decides.
  ///
  /// - Parameters:
  ///   - request: as the client asked it.
  ///   - response: as it came.
  ///   - length: of its body, where the origin says it: else there are no parts of it yet.
  ///   - isForwarded: whether the origin has seen the client's conditions and range itself.
  init(_ request: HTTPRequest, _ response: HTTPResponse, length: Int?, isForwarded: Bool) {
    guard !isForwarded, response.status.code == 200,
      request.headerFields.contains(where: { Self.isCondition($0.name) })
    else {
      self = .whole
      return
    }
    let copy = Request(request, limits: RequestLimits())
    let validators = EdgeFields.validators(response.headerFields)
    switch validators.evaluate(copy) {
    case .failed: self = .refused(412)
    case .notModified: self = .notModified
    case .proceed:
      guard let length, copy.has(.range) else {
        self = .whole
        return
      }
      switch validators.range(copy, length: length) {
      case .whole, .several: self = .whole
      case .single(let range): self = .part(range, length: length)
      case .unsatisfiable: self = .refused(416)
      }
    }
  }
}
