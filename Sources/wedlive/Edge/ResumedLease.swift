import Cluster
import RTMP
import Relay

/// Which lease of a stream an edge's publisher had, and goes on from at another origin.
///
/// Its origin said under which number it had the stream. What Redis says by now may be another
/// publisher's, who came when this one's origin was cut off: to go on from that would take it from
/// them.
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
      self = .own(question.grant?.epoch)
      return
    }
    let had = question.had.contains(owner.node.text)
    guard let epoch = question.grant?.epoch else {
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
      // Two had it at once, as Redis was two, or one of them couldn't ask it. Its publisher was on
      // the air all the time, and viewers have what it sent: it goes on, and the other one is told.
      self = .own(owner.epoch)
    } else {
      self = .others
    }
  }

  /// What is to be resumed; nil: the stream is asked for as by anybody.
  ///
  /// What others have taken is asked for under the former number: nothing goes on from it, but who
  /// has the stream by now isn't taken for another connection of the same publisher.
  func resumption(of question: PlaceQuestion) -> Resumption? {
    switch self {
    case .own(nil): nil
    case .own(let epoch?):
      // Of another number's grants it is not known which is its own.
      Resumption(
        key: question.key,
        grant: StreamGrant(
          epoch: epoch, turn: question.grant?.epoch == epoch ? question.grant?.turn : nil),
        progress: question.progress, date: question.date)
    case .others:
      question.grant.map {
        Resumption(key: question.key, grant: $0, progress: nil, date: question.date)
      }
    }
  }
}
