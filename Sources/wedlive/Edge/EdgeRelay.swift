import Access
import Cluster
import EventLoop
import Ingest
import Logging
import Media
import RTMP
import Relay
import TLS
import Telemetry
import Viewers

/// How an edge relays publishers to the origins of its cluster.
struct EdgeRelay: Sendable {
  let cluster: NodeCluster
  let verifier: TokenVerifier
  let configuration: RelayConfiguration
  let rememberedTokens: Int
  let metrics: RelayMetrics
  let ingestMetrics: IngestMetrics
  /// For RTMPS to origins; nil for RTMP.
  let tls: TLSContextSource?
  let logger: Logger

  /// Makes the relay of one loop and registers it there.
  func open(on loop: Loop) -> PublishRelay {
    let gate = RelayGate(VerifiedTokens(verifier, capacity: rememberedTokens))
    let edge = self
    return PublishRelay(
      on: loop, configuration: configuration,
      handlers: RelayHandlers(
        admit: { connection, request, done in
          let admission = gate.admit(connection, request)
          if case .refused(_, let words) = admission { edge.refused(connection, words) }
          done(admission)
        },
        place: { question, done in
          Task { done(await edge.place(question)) }
        },
        notice: { notice in
          Task { edge.log(notice) }
        }), metrics: metrics, ingestMetrics: ingestMetrics, buffers: TLSBuffers())
  }

  /// Where a stream shall go: to the origin that has it, as long as that takes streams; else to
  /// that of its wedding's other cameras, or to the one with the most room.
  private func place(_ question: PlaceQuestion) async -> RelayTarget? {
    let key = question.key
    guard let stream = StreamID(wedding: key.wedding, camera: key.camera) else { return nil }
    // Its publisher is here: as long as an origin is looked for, it hasn't ended. Of one that was
    // never admitted that is to be believed only where nobody can be asked to admit it.
    let wasAdmitted = !question.had.isEmpty
    if wasAdmitted { note(stream) }
    let target = await target(for: question, stream)
    if target == nil, !wasAdmitted { note(stream) }
    return target
  }

  private func note(_ stream: StreamID) {
    Task { await cluster.node.ends.note([stream]) }
  }

  private func target(for question: PlaceQuestion, _ stream: StreamID) async -> RelayTarget? {
    let excluded = question.excluded
    let node = cluster.node
    let owner = try? await node.directory.owner(of: stream)
    let lease = ResumedLease(question, owner)
    if lease == .others, question.isEnding { return nil }
    let resume = lease.resumption(of: question)?.query(cluster.pass)
    // Where something fails there, only a stream that it still has goes there before others.
    if let owner, !excluded.contains(owner.node.text),
      let known = node.membership.view[owner.node], known.isUsable, known.record.role.holdsStreams,
      !known.isAiling || owner.isLive && !owner.hasEnded
    {
      return RelayTarget(known, tls, node.connections.open(owner.node), resume: resume)
    }
    let others = Set(excluded.compactMap { NodeID($0) })
    guard let (known, connection) = await node.place(stream, excluding: others) else { return nil }
    return RelayTarget(known, tls, connection, resume: resume)
  }

  /// Says that somebody may not publish, as origins do.
  private func refused(_ connection: RTMPConnection, _ words: String) {
    let address = connection.peer.host
    let encoder = connection.connectRequest?.flashVersion ?? ""
    Task {
      logger.info(
        "publish.refused",
        metadata: ["address": "\(address)", "encoder": "\(encoder)", "reason": "\(words)"])
    }
  }

  private func log(_ notice: RelayNotice) {
    logger.notice(
      "relay.\(notice.kind.rawValue)",
      metadata: [
        "stream": "\(notice.stream)", "address": "\(notice.address)",
        "origin": "\(notice.origin ?? "-")", "reason": "\(notice.words)",
      ])
  }
}

/// Who may publish, on one loop.
private final class RelayGate {
  private var tokens: VerifiedTokens

  init(_ tokens: VerifiedTokens) { self.tokens = tokens }

  func admit(_ connection: RTMPConnection, _ request: PublishRequest) -> RelayAdmission {
    let address = RequestedStream(request.name, connect: connection.connectRequest)
    let token = Array((address.token ?? "").utf8)
    do throws(Refusal) {
      let claims = try tokens.accept(
        token.span, for: .publish(wedding: address.wedding, camera: address.camera),
        now: LogTime.now.milliseconds / 1_000)
      guard let key = StreamKey(wedding: claims.wedding ?? "", camera: claims.publishCamera) else {
        return .refused(.denied, "the token names no stream")
      }
      return .admitted(key)
    } catch {
      let isKey = error.reason == .missing && address.mayBeKey
      return .refused(
        .denied,
        isKey ? "the stream key is no token; copy the whole key that was made for it" : "\(error)")
    }
  }
}
