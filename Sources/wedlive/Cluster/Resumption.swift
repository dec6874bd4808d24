import Access
import Cluster
import HLS
import Media
import Origin
import RTMP
import Telemetry
import Viewers

/// An edge that has the publisher of a stream's holder goes on with it elsewhere: what it says of
/// that.
struct Resumption {
  let key: StreamKey
  /// Under which the holder had it.
  let grant: StreamGrant
  /// How far viewers had the stream, as its holder told the edge; Redis may know less.
  let progress: RelayProgress?
  /// Which date a time of its publisher's clock has: by what the holder has listed, or else by the
  /// edge's own clock.
  let date: StreamDate?

  init(key: StreamKey, grant: StreamGrant, progress: RelayProgress?, date: StreamDate? = nil) {
    self.key = key
    self.grant = grant
    self.progress = progress
    self.date = date
  }

  /// Reads what a publisher says; nil where it says nothing, or what no node of the cluster would.
  ///
  /// - Parameters:
  ///   - wish: of the publisher.
  ///   - pass: by which it proves it.
  ///   - now: in milliseconds since 1970; a date far from it is left out, and so is a program's
  ///     place.
  init?(_ wish: StreamLeasing.Wish, _ pass: PeerPass, now: Int64 = LogTime.now.milliseconds) {
    guard let epoch = Int64(wish.resumes) else { return nil }
    var progress: RelayProgress?
    if !wish.after.isEmpty {
      let numbers = wish.after.split(separator: ".", omittingEmptySubsequences: false)
        .map { Int64($0) }
      guard numbers.count == 2, let sequence = numbers[0], let discontinuity = numbers[1],
        (0..<Int64(Int32.max)).contains(discontinuity), (-1..<(1 << 53)).contains(sequence)
      else { return nil }
      progress = RelayProgress(
        sequence: sequence, discontinuity: discontinuity, end: nil,
        program: ProgramPlace(wish.program).flatMap { Self.isBelievable($0, now: now) ? $0 : nil })
    }
    let grant = StreamGrant(epoch: epoch, turn: StreamGrant.Turn(wish.grant))
    let date = StreamDate(wish.date).flatMap { Self.isBelievable($0.date, now: now) ? $0 : nil }
    self.init(key: wish.key, grant: grant, progress: progress, date: date)
    guard pass.fits(wish.proof, of: words) else { return nil }
  }

  /// A stream's dates may be behind the clock, where its publisher's stood still; never by a day.
  private static func isBelievable(_ date: Int64, now: Int64) -> Bool {
    date >= now - 86_400_000 && StreamHead.believable(date, now: now) == date
  }

  /// No program has had more segments than seconds since 1970, and a day of shorter ones; nor more
  /// leases.
  private static func isBelievable(_ place: ProgramPlace, now: Int64) -> Bool {
    max(place.number, place.discontinuity, place.epoch) <= now / 1_000 + 86_400
      && place.date >= now - StreamLeasing.programPatience
      && StreamHead.believable(place.date, now: now) == place.date
      && place.camera != Claims.programCamera
  }

  private var epoch: Int64 { grant.epoch }

  /// What is proved.
  ///
  /// Not which grant it was, nor the date or the program's place, of which origins of the version
  /// before know nothing: these only say who of two that can prove the rest came last, when it was
  /// filmed what they send, and what viewers have had of it.
  private var words: String { "\(key) goes on after \(epoch) \(after ?? "")" }

  private var after: String? { progress.map { "\($0.sequence).\($0.discontinuity)" } }

  /// Query items that say it.
  func query(_ pass: PeerPass) -> String {
    "resume=\(epoch)&proof=\(pass.proof(of: words))" + (after.map { "&after=\($0)" } ?? "")
      + (grant.turn.map { "&grant=\($0.text)" } ?? "") + (date.map { "&date=\($0.text)" } ?? "")
      + (progress?.program.map { "&program=\($0.text)" } ?? "")
  }

  /// Whether a lease comes right after the holder's: where others had the stream in between, it
  /// goes on from what they have brought it to.
  func isFollowed(by epoch: Int64) -> Bool { epoch - 1 <= self.epoch }

  /// Where the stream goes on, as the edge has what follows and no more.
  ///
  /// What was announced last, edges may not have yet: its holder tells them of it first, and the
  /// edge with the publisher only with the next one that it may let go of it. So it is made once
  /// more.
  ///
  /// - Parameter recorded: what Redis has of it.
  /// - Returns: nil where the edge knows of no segment.
  func left(besides recorded: StreamLeasing.Progress?) -> StreamLeasing.Progress? {
    guard let progress else { return nil }
    let next = Int(progress.sequence + 1)
    func isRecorded(_ number: Int) -> Bool { recorded?.state.nextSequence == number }
    // What is made once more has a date before that, by the publisher's clock.
    let isRemade =
      publisherDate(besides: recorded) != nil && next < recorded?.state.nextSequence ?? 0
    // Edges that have what is made once more count the discontinuities in it, and then the one
    // behind it.
    var discontinuity = Int(progress.discontinuity)
    if let recorded, recorded.state.nextSequence >= next {
      discontinuity = max(discontinuity, recorded.state.discontinuitySequence)
    }
    return StreamLeasing.Progress(
      state: WindowState(
        nextSequence: next, discontinuitySequence: discontinuity,
        endDate: isRemade ? 0 : recorded?.state.endDate ?? 0),
      publisherEnd: isRecorded(next) ? recorded?.publisherEnd : nil,
      nextEnd: isRecorded(next + 1) ? recorded?.publisherEnd : nil,
      broadcast: recorded?.broadcast, program: progress.program)
  }

  /// Which date a time of the publisher's clock has.
  ///
  /// What the edge says is about this very publisher; Redis may have heard of it long ago, or of
  /// another one.
  ///
  /// - Parameter recorded: what Redis has of it.
  /// - Returns: nil where nobody has said it.
  func publisherDate(besides recorded: StreamLeasing.Progress?) -> PublisherDate? {
    if let date {
      return PublisherDate(time: MediaTime(milliseconds: Int64(date.time)), date: date.date)
    }
    guard let recorded, let end = recorded.publisherEnd, recorded.state.endDate > 0 else {
      return nil
    }
    return PublisherDate(time: end, date: recorded.state.endDate)
  }
}
