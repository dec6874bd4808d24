import Cluster
import HLS
import Logging
import Media
import Origin
import RTMP
import Store
import Synchronization
import Telemetry
import Viewers

/// The streams that this origin has of its cluster's.
final class OriginLeases: Sendable {
  private let node: ClusterNode
  private let pass: PeerPass
  private let leases = Mutex<[StreamKey: Lease]>([:])
  /// One question about a stream at a time: what Redis says to one who asks holds for the next one,
  /// and a lease that is being given up is gone when it is asked for anew.
  private let turns = Turns()

  /// - Parameters:
  ///   - node: of the cluster.
  ///   - pass: by which edges prove what they go on with.
  init(_ node: ClusterNode, _ pass: PeerPass) {
    self.node = node
    self.pass = pass
  }

  /// For `Origin`.
  var leasing: StreamLeasing {
    StreamLeasing(
      acquire: { await self.acquire($0, onLoss: $1) }, release: { await self.release($0, $1) },
      publish: { await self.publish($0, $1) },
      rank: { key, priority in
        guard let lease = self.leases.withLock({ $0[key] }) else { return }
        self.node.leases.set(priority: priority, of: lease)
        self.node.leases.goOnAir(lease)
      }, epoch: epoch, pass: passing, isElsewhere: { await self.isElsewhere($0, $1) },
      hasEnded: { self.hasEnded($0) }, areOver: { await self.areOver($0, for: $1) })
  }

  /// The number of the lease of a stream, which its viewers' edges are told; nil where it is not
  /// held.
  var epoch: @Sendable (StreamKey) -> Int64? {
    { key in self.leases.withLock { $0[key]?.epoch } }
  }

  /// Another node has had a program under a number, as the edge of one of its cameras says.
  ///
  /// Of a lease that Redis has granted it says nothing new, unless it is known to be another's.
  private var passing: @Sendable (StreamKey, Int64, _ isAnothers: Bool) -> Void {
    { key, epoch, isAnothers in
      guard let lease = self.leases.withLock({ $0[key] }), lease.isHeld,
        isAnothers || lease.isProvisional
      else { return }
      lease.pass(over: epoch, isAnothers: isAnothers)
    }
  }

  private func acquire(
    _ wish: StreamLeasing.Wish, onLoss: @escaping @Sendable () -> Void
  ) async -> StreamLeasing.Outcome {
    let key = wish.key
    guard let stream = StreamID(wedding: key.wedding, camera: key.camera) else {
      return .refused("the token names no stream")
    }
    let resumption = Resumption(wish, pass)
    await turns.enter("\(key)")
    defer { turns.leave("\(key)") }
    let ours = StreamLeasing.Outcome.granted(
      after: nil, resumed: resumption?.grant, date: resumption?.publisherDate(besides: nil))
    if let lease = leases.withLock({ $0[key] }), lease.isHeld {
      guard let resumption, lease.pass(over: resumption.grant.epoch) else { return ours }
      // Another has had it while Redis couldn't say so, and brought it on.
      return .granted(
        after: resumption.left(besides: nil), wasOurs: false, isBlind: true,
        resumed: resumption.grant, date: resumption.publisherDate(besides: nil))
    }
    var claim = StreamClaim(priority: wish.priority)
    claim.resumes = resumption?.grant.epoch
    claim.knownEpoch = wish.known.flatMap { $0 > 0 ? $0 : nil }
    do throws(ClusterError) {
      switch try await node.leases.claim(
        stream, claim,
        onLoss: { [weak self] _ in
          // It may have been granted anew meanwhile.
          self?.leases.withLock { if $0[key]?.isHeld == false { $0[key] = nil } }
          onLoss()
        })
      {
      case .held(let owner, _):
        guard owner != node.membership.own else { return ours }
        return .refused("this stream is already being published by somebody else")
      case .granted(let lease):
        leases.withLock { $0[key] = lease }
        let wasOurs = lease.previousOwner == nil
        let recorded = lease.inherited?.left
        let resumed = resumption?.isFollowed(by: lease.epoch) == true ? resumption : nil
        return .granted(
          after: resumed?.left(besides: recorded) ?? recorded, wasOurs: wasOurs,
          isBlind: lease.isProvisional, resumed: resumption?.grant,
          date: resumption?.publisherDate(besides: resumed == nil ? nil : recorded))
      }
    } catch {
      return .refused("this server can't tell who publishes this stream now; try again")
    }
  }

  private func release(_ key: StreamKey, _ isUnwanted: @Sendable () -> Bool) async -> Bool {
    await turns.enter("\(key)")
    defer { turns.leave("\(key)") }
    // Whoever asks now has to wait for this turn's end.
    guard isUnwanted() else { return false }
    if let lease = leases.withLock({ $0.removeValue(forKey: key) }) {
      await node.leases.release(lease)
    }
    return true
  }

  private func isElsewhere(_ key: StreamKey, _ state: WindowState) async -> Bool? {
    guard let stream = StreamID(wedding: key.wedding, camera: key.camera) else { return nil }
    if let known = try? await node.ends.isAnothers(
      stream, beyond: Int64(state.nextSequence) - 1)
    {
      return known
    }
    // What one that is leaving has had is to go on elsewhere.
    return node.membership.isLeaving ? true : nil
  }

  private func hasEnded(_ key: StreamKey) {
    guard let stream = StreamID(wedding: key.wedding, camera: key.camera) else { return }
    node.ends.told(stream)
  }

  private func areOver(_ keys: [StreamKey], for silence: Duration) async -> Bool {
    for key in keys {
      guard let stream = StreamID(wedding: key.wedding, camera: key.camera),
        (try? await node.leases.isOver(stream, for: silence)) == true
      else { return false }
    }
    return true
  }

  private func publish(_ key: StreamKey, _ progress: StreamLeasing.Progress) async {
    guard let lease = leases.withLock({ $0[key] }) else { return }
    let head = StreamHead(
      sequence: Int64(progress.state.nextSequence - 1),
      discontinuity: Int64(progress.state.discontinuitySequence),
      end: progress.publisherEnd?.ticks ?? 0, names: progress.names,
      date: max(0, progress.state.endDate), camera: progress.camera,
      shown: progress.shown.map {
        ShownSegment(camera: $0.camera, sequence: Int64($0.sequence))
      }, began: max(0, progress.broadcast?.began ?? 0))
    // Where the lease is lost, `onLoss` has been called.
    _ = try? await node.leases.publish(head, of: lease)
  }
}

extension StreamHead {
  /// Where the next holder goes on.
  fileprivate var left: StreamLeasing.Progress {
    StreamLeasing.Progress(
      state: WindowState(
        nextSequence: Int(clamping: sequence + 1),
        discontinuitySequence: Int(clamping: discontinuity),
        endDate: Self.believable(date, now: LogTime.now.milliseconds)),
      publisherEnd: end == 0 ? nil : MediaTime(ticks: end), names: names, camera: camera,
      shown: shown.map { ShownPlace(camera: $0.camera, sequence: Int(clamping: $0.sequence)) },
      broadcast: began == 0 || date == 0 ? nil : Broadcast(began: began, last: date))
  }

  /// Clocks that are ten minutes apart are wrong, and so is a date that nobody's clock has said:
  /// dates begin anew then, rather than be wrong for as long as the stream goes on.
  static func believable(_ date: Int64, now: Int64) -> Int64 {
    date <= now + 600_000 ? date : 0
  }
}
