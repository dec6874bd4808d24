import HLS
import Media
import Origin
import RTMP
import Viewers

/// An edge that has the publisher of a stream's holder goes on with it elsewhere: what it says of that.
struct Resumption {
  let key: StreamKey
  /// Under which the holder had it.
  let grant: StreamGrant
  /// How far viewers had the stream, as its holder told the edge; Redis may know less.
  let progress: RelayProgress?

  init(key: StreamKey, grant: StreamGrant, progress: RelayProgress?) {
    self.key = key
    self.grant = grant
    self.progress = progress
  }

  /// Reads what a publisher says; nil where it says nothing, or what no node of the cluster would.
  init?(_ wish: StreamLeasing.Wish, _ pass: PeerPass) {
    guard let epoch = Int64(wish.resumes) else { return nil }
    var progress: RelayProgress?
    if !wish.after.isEmpty {
      let numbers = wish.after.split(separator: ".", omittingEmptySubsequences: false)
        .map { Int64($0) }
      guard numbers.count == 2, let sequence = numbers[0], let discontinuity = numbers[1],
        (0..<Int64(Int32.max)).contains(discontinuity), (-1..<(1 << 53)).contains(sequence)
      else { return nil }
      progress = RelayProgress(sequence: sequence, discontinuity: discontinuity, end: nil)
    }
    let grant = StreamGrant(epoch: epoch, turn: StreamGrant.Turn(wish.grant))
    self.init(key: wish.key, grant: grant, progress: progress)
    guard pass.fits(wish.proof, of: words) else { return nil }
  }

  private var epoch: Int64 { grant.epoch }

  /// What is proved.
  ///
  /// Not which grant it was, of which origins of the version before know nothing: that only says who of two
  /// that can prove the rest came last.
  private var words: String { "\(key) goes on after \(epoch) \(after ?? "")" }

  private var after: String? { progress.map { "\($0.sequence).\($0.discontinuity)" } }

  /// Query items that say it.
  func query(_ pass: PeerPass) -> String {
    "resume=\(epoch)&proof=\(pass.proof(of: words))" + (after.map { "&after=\($0)" } ?? "")
      + (grant.turn.map { "&grant=\($0.text)" } ?? "")
  }

  /// Whether a lease comes right after the holder's: where others had the stream in between, it goes on
  /// from what they have brought it to.
  func isFollowed(by epoch: Int64) -> Bool { epoch - 1 <= self.epoch }

  /// Where the stream goes on, as the edge has what follows and no more.
  ///
  /// What was announced last, edges may not have yet: its holder tells them of it first, and the edge with
  /// the publisher only with the next one that it may let go of it. So it is made once more.
  ///
  /// - Parameter recorded: what Redis has of it.
  /// - Returns: nil where the edge knows of no segment.
  func left(besides recorded: StreamLeasing.Progress?) -> StreamLeasing.Progress? {
    guard let progress else { return nil }
    let next = Int(progress.sequence + 1)
    func isRecorded(_ number: Int) -> Bool { recorded?.state.nextSequence == number }
    var date: PublisherDate?
    if let recorded, let end = recorded.publisherEnd, recorded.state.endDate > 0 {
      date = PublisherDate(time: end, date: recorded.state.endDate)
    }
    // What is made once more has a date before that, by the publisher's clock.
    let isRemade = date != nil && next < recorded?.state.nextSequence ?? 0
    // Edges that have what is made once more count the discontinuities in it, and then the one behind it.
    var discontinuity = Int(progress.discontinuity)
    if let recorded, recorded.state.nextSequence >= next {
      discontinuity = max(discontinuity, recorded.state.discontinuitySequence)
    }
    return StreamLeasing.Progress(
      state: WindowState(
        nextSequence: next, discontinuitySequence: discontinuity,
        endDate: isRemade ? 0 : recorded?.state.endDate ?? 0),
      publisherEnd: isRecorded(next) ? recorded?.publisherEnd : nil,
      nextEnd: isRecorded(next + 1) ? recorded?.publisherEnd : nil, publisherDate: date)
  }
}
