import Cluster
import Relay

/// Which lease of a stream an edge's publisher had, and goes on from at another origin.
///
/// Its origin said under which number it had the stream. What Redis says by now may be another publisher's,
/// who came when this one's origin was cut off: to go on from that would take it from them.
enum ResumedLease: Equatable {
  /// The one with this number, or none that is known.
  case own(Int64?)
  /// Another publisher has the stream, or had it last: this one's is over.
  case others

  /// - Parameters:
  ///   - question: of the relay.
  ///   - owner: who has the stream, as the cluster knows.
  init(_ question: PlaceQuestion, _ owner: StreamOwner?) {
    guard let owner else {
      self = .own(question.epoch)
      return
    }
    let had = question.had.contains(owner.node.text)
    guard let epoch = question.epoch else {
      // No origin has said its number: whoever has the stream has it of this publisher.
      let isForeign = question.isEnding && owner.isLive && !had
      self =
        isForeign
        ? .others : .own(owner.hasEnded && !(question.isEnding && had) ? nil : owner.epoch)
      return
    }
    if owner.epoch <= epoch {
      self = .own(epoch)
    } else if question.mayHaveTaken.contains(owner.node.text) {
      // It took the stream, and was lost before it could say so.
      self = .own(owner.epoch)
    } else if question.isTakenAway, !question.isEnding, !owner.hasEnded {
      // Two had it at once, as Redis was two, or one of them couldn't ask it. Its publisher was on the air all
      // the time, and viewers have what it sent: it goes on, and the other one is told.
      self = .own(owner.epoch)
    } else {
      self = .others
    }
  }

  /// What is to be resumed; nil: the stream is asked for as by anybody.
  var epoch: Int64? { if case .own(let epoch) = self { epoch } else { nil } }
}
