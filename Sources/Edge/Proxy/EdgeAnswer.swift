import Cache
import HTTPTypes

/// What has come of a request to the origin, for all who waited for it.
enum EdgeAnswer: Sendable {
  /// It is kept, whole.
  case object(EdgeObject, CacheOutcome)
  /// It is kept in slices; what a request needs of them may have to be asked for yet.
  case sliced(SlicedObject, CacheOutcome)
  /// Its head has come, and its body is on its way; whether by another one's request.
  case filling(EdgeFill, isJoined: Bool)
  /// Not for those who waited: each asks alone.
  case alone
  /// It was purged since it was asked for: who waited may have asked behind that, and asks anew.
  case purged
  /// Nothing came of it.
  case failed(EdgeFailure)

  /// What is on its way of what was asked for; nil where nothing is.
  var coming: EdgeFill? {
    guard case .filling(let fill, _) = self, fill.response.status == .ok else { return nil }
    return fill
  }

  /// Whether what was asked for is here, and whole.
  var isHere: Bool {
    switch self {
    case .object(let object, _): object.response.status == .ok
    case .sliced: true
    case .filling, .alone, .purged, .failed: false
    }
  }
}
