import Edge
import EventLoop
import Glibc
import HTTPSemantics
import HTTPServer
import HTTPTypes
import Media
import Operator
import Origin
import Telemetry
import Viewers

/// What an edge does at one moment, as an origin tells it: `/api/status` and `/stat` on its admin
/// port.
///
/// It knows what it sends of each stream, and how many watch; pictures, sound and publishers are
/// the origins' to tell.
struct EdgeStatus: Sendable {
  let identity: StatusCollector.Identity
  let health: Health
  let loops: [LoopMailbox]
  let traffic: StreamTraffic
  let whole: TrafficMeter
  /// Connections of viewers, and of publishers where the edge takes those.
  let viewers: Gauge
  let publishers: Gauge
  let accepted: Counter
  /// To processes of this node that were before this one; nil where there are none.
  var elders: ElderLine?
  let startedAt = MonotonicTime.now

  /// The status now, with what is still with processes before this one: publishers, and what goes
  /// to and fro for them.
  func status() async -> NodeStatus {
    var status = await ownStatus()
    guard let elders else { return status }
    await elders.statuses()
    elders.tally.add(to: &status)
    return status
  }

  /// The status of this process alone; asks every loop once.
  func ownStatus() async -> NodeStatus {
    let keys = traffic.streams
    var viewers: [StreamKey: Int] = [:]
    for loop in loops {
      let own = try? await loop.run { loop -> [Int] in
        let table = loop.local(ViewerSite.self)?.table
        let second = loop.now.nanoseconds / 1_000_000_000
        return keys.map { table?.viewers(of: $0, now: second) ?? 0 }
      }
      for (key, count) in zip(keys, own ?? []) { viewers[key, default: 0] += count }
    }
    let streams = keys.map { key in
      let sent = traffic.sent(of: key)
      var stream = StreamStatus(
        wedding: key.wedding, camera: key.camera, viewers: viewers[key] ?? 0,
        sent: sent.map { SentStatus($0) })
      stream.traffic.add(sent)
      return stream
    }
    return NodeStatus(
      node: identity.node, region: identity.region, version: identity.version, pid: getpid(),
      uptimeMilliseconds: (MonotonicTime.now - startedAt).nanoseconds / 1_000_000,
      watchBase: identity.watchBase, isReady: health.isReady, remark: health.words,
      cipher: identity.cipher,
      accepted: accepted.value, rtmpConnections: publishers.value,
      httpConnections: self.viewers.value, traffic: whole.traffic,
      memoryBytes: ProcessMetrics.residentBytes(), cpuSeconds: ProcessMetrics.cpuSeconds(),
      streams: streams.sorted { $0.name < $1.name })
  }

  /// Where the operator asks for it.
  var pages: [(path: StaticString, call: APICall)] {
    let page = StatusPage()
    return [
      (
        "/",
        APICall(bodyLimit: 0) { _ in
          var answer = OperatorHandler.document(StatusPage.contentType, page.bytes)
          answer.response.headerFields[.contentSecurityPolicy] = page.contentSecurityPolicy
          answer.response.headerFields[.xContentTypeOptions] = "nosniff"
          return answer
        }
      ),
      ("/api/status", NodeStatus.call { await status() }),
      (
        "/stat",
        APICall(bodyLimit: 0) { _ in
          OperatorHandler.document(
            StatisticsDocument.contentType, StatisticsDocument(await status()).bytes())
        }
      ),
      (
        "/stat.css",
        APICall(bodyLimit: 0) { _ in
          OperatorHandler.document(
            StatisticsDocument.stylesheetContentType, StatisticsDocument.stylesheet)
        }
      ),
    ]
  }
}
