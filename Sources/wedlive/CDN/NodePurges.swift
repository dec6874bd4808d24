import CDN
import Cluster
import ControlAPI
import Events
import ServiceLifecycle
import Store

/// The node's purges, as the API asks for them and shows them.
struct NodePurges: PurgeDirectory {
  let purger: Purger

  func purge(
    _ wedding: String, _ target: PurgeTarget, isSoft: Bool, reason: String
  ) async throws(APIError) {
    let what: CDNPurge.Target =
      switch target {
      case .everything: .tag(wedding)
      case .path(let path): .path(path)
      case .prefix(let prefix): .prefix(prefix)
      }
    do throws(CDNError) {
      try await purger.purge([CDNPurge(wedding: wedding, what, isSoft: isSoft, reason: reason)])
    } catch {
      switch error.code {
      case .refused: throw APIError(400, "bad_purge", "This can't be purged: \(error.message).")
      case .full:
        throw APIError(
          503, "purges_full", "The queue of purges is full: \(error.message); try again.",
          retryAfter: 10)
      default:
        throw APIError(
          503, "purges_unavailable", "Purges can't be queued now; try again.", retryAfter: 5)
      }
    }
  }

  func status() async throws(APIError) -> PurgeQueueInfo {
    var info = PurgeQueueInfo()
    info.waitingHere = purger.waitingHere
    info.queued = info.waitingHere
    guard let queue = purger.queue else { return info }
    info.provider = queue.provider.name
    do throws(CDNError) {
      let status = try await queue.status()
      info.node = status.holder
      info.queued += status.queued
      info.sent = status.sent
      info.failed = status.failed
      info.oldestSeconds = status.oldestAge?.components.seconds
      info.lastError = status.lastError
      info.lastErrorAt = status.lastErrorTime.map { Int64($0 / 1_000) }
      info.failures = try await queue.failures().map { failure in
        let (kind, what) = failure.purge.words
        return PurgeQueueInfo.Failure(
          weddingId: failure.purge.wedding, kind: kind, what: what, reason: failure.purge.reason,
          error: failure.error, queuedAt: Int64(failure.queued / 1_000))
      }
    } catch {
      throw APIError(
        503, "purges_unavailable", "The queue of purges can't be asked now: \(error.message).",
        retryAfter: 5)
    }
    return info
  }
}

extension Purger {
  /// A recording was deleted.
  func purge(_ recording: RecordingRecord) async throws(CDNError) {
    let wedding = recording.stream.wedding
    try await purge([
      CDNPurge(
        wedding: wedding, .prefix("/hls/\(wedding)/recordings/\(recording.id)/"),
        reason: "recording_deleted")
    ])
  }
}

/// Tells caches what waits, has the CDN's purges done, and hears when streams end.
struct PurgeService: Service {
  let purger: Purger
  let events: EventBus

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup { group in
        group.addTask { await purger.run() }
        group.addTask { await purger.queue?.run() }
        group.addTask {
          for await event in events.subscribe() where event.kind == .streamEnded {
            // What can't be kept either is in the log; a playlist is fresh for a second only.
            try? await purger.purge([
              CDNPurge(
                wedding: event.wedding, .tag(event.wedding), isSoft: true, reason: "stream_ended")
            ])
          }
        }
        await group.waitForAll()
      }
    }
  }
}

extension NodeCluster {
  /// Tells all nodes that keep something what to forget.
  var edges: Purger.Edges {
    let invalidations = node.invalidations
    return { purges in
      try await invalidations.publish(
        purges.map { purge in
          let target: Invalidation.Target =
            switch purge.target {
            case .tag(let tag): .tag(tag)
            case .path(let path): .key(path)
            case .prefix(let prefix): .prefix(prefix)
            }
          return Invalidation(target, isSoft: purge.isSoft)
        })
    }
  }
}
