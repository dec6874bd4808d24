import Cluster
import ControlAPI
import HTTPServer
import HTTPTypes
import Logging
import Origin
import Recording
import Records
import ServiceLifecycle
import Store
import Telemetry

extension ClusterRecords {
  /// What tells other nodes of this one's recordings.
  func publication(
    _ configuration: NodeConfiguration, _ registry: MetricRegistry
  ) -> RecordingPublication {
    RecordingPublication(
      recordings, node: cluster.node.membership.view.own.text,
      limit: configuration.cluster.recordings, metrics: RecordingIndexMetrics(registry),
      logger: Logger(label: "recording"), now: { LogTime.now.milliseconds })
  }

  /// The recordings of the cluster.
  ///
  /// - Parameters:
  ///   - own: those of this node.
  ///   - publication: tells others of them.
  /// - Returns: nil where others are told of nothing.
  func directory(
    of own: OriginRecordings, _ publication: RecordingPublication?
  ) -> (any RecordingDirectory)? {
    publication.map {
      ClusterRecordings(
        own: own, peers: cluster.recordingPeers, known: knownRecordings, finder: finder,
        publication: $0)
    }
  }

  /// Answers other nodes about this node's recordings, once others are told what has become of
  /// them.
  func peerCall(_ own: OriginRecordings, _ publication: RecordingPublication?) -> APICall? {
    guard let publication else { return nil }
    let call = PeerRecordings.call(own)
    return APICall(bodyLimit: call.bodyLimit) { request in
      let answer = await call.handler(request)
      if request.request.method != .get { await publication.settle() }
      return answer
    }
  }
}

/// Keeps what other nodes are told of this one's recordings true.
struct RecordingPublicationService: Service {
  let publication: RecordingPublication
  let recordings: RecordingService

  func run() async throws {
    let recordings = recordings
    let source = RecordingPublication.Source(
      all: {
        do throws(RecordingError) {
          return .success(try await recordings.all().map(Self.own))
        } catch {
          return .failure(.failed("\(error)"))
        }
      },
      one: { id in
        do throws(RecordingError) {
          return .success(Self.own(try await recordings.recording(id)))
        } catch {
          return error == .unknown ? .success(nil) : .failure(.failed("\(error)"))
        }
      })
    await cancelWhenGracefulShutdown { await publication.run(source) }
  }

  /// What a seal and the words beside it may take.
  private static let reserve = 512

  private static func own(_ view: RecordingView) -> RecordingPublication.Own {
    let record = view.record
    let isOver = record.state == .completed || record.state == .failed
    return RecordingPublication.Own(
      id: record.id, wedding: record.stream.wedding, started: record.started,
      isUnderWay: !isOver || view.step != nil,
      document: RecordingInfo(view).json(atMost: RedisRecordings.mostBytes - reserve))
  }
}
