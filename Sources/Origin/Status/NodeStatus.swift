/// What a node does at one moment: the status page's JSON and `/stat` are made from it.
///
/// Rates are bits a second, sizes are bytes, times are milliseconds.
package struct NodeStatus: Codable, Equatable, Sendable {
  package var node: String
  package var region: String
  package var version: String
  package var pid: Int32
  package var uptimeMilliseconds: Int64
  /// What the address of a watch page starts with, such as `https://localhost:8443/watch/`.
  package var watchBase: String
  /// Whether the node takes new work; false while it drains.
  package var isReady: Bool
  /// Why it doesn't, or what an operator should know though it does.
  package var remark: String?
  /// The cipher provider in use, such as `ipsec-mb` or `openssl`.
  package var cipher: String
  /// RTMP connections accepted since the start.
  package var accepted: UInt64
  package var rtmpConnections: Int
  package var httpConnections: Int
  /// All traffic of publishers and players, RTMP and HTTP.
  package var traffic: TrafficStatus
  /// Resident memory of the process.
  package var memoryBytes: Int
  /// CPU seconds that the process has used.
  package var cpuSeconds: Double
  /// The streams, oldest first.
  package var streams: [StreamStatus]
  /// What weddings with several cameras show.
  package var programs: [ProgramSummary]
  /// What is being recorded, processed or deleted, oldest first.
  package var recordings: [RecordingStatus]

  package init(
    node: String, region: String = "local", version: String, pid: Int32 = 0,
    uptimeMilliseconds: Int64 = 0, watchBase: String = "", isReady: Bool = true,
    remark: String? = nil, cipher: String = "",
    accepted: UInt64 = 0, rtmpConnections: Int = 0, httpConnections: Int = 0,
    traffic: TrafficStatus = TrafficStatus(), memoryBytes: Int = 0, cpuSeconds: Double = 0,
    streams: [StreamStatus] = [], programs: [ProgramSummary] = [],
    recordings: [RecordingStatus] = []
  ) {
    self.recordings = recordings
    self.programs = programs
    self.node = node
    self.region = region
    self.version = version
    self.pid = pid
    self.uptimeMilliseconds = uptimeMilliseconds
    self.watchBase = watchBase
    self.isReady = isReady
    self.remark = remark
    self.cipher = cipher
    self.accepted = accepted
    self.rtmpConnections = rtmpConnections
    self.httpConnections = httpConnections
    self.traffic = traffic
    self.memoryBytes = memoryBytes
    self.cpuSeconds = cpuSeconds
    self.streams = streams
  }

  enum CodingKeys: String, CodingKey {
    case node, region, version, pid
    case uptimeMilliseconds = "uptime_ms"
    case watchBase = "watch_base"
    case isReady = "ready"
    case remark, cipher, accepted
    case rtmpConnections = "rtmp_connections"
    case httpConnections = "http_connections"
    case traffic
    case memoryBytes = "memory_bytes"
    case cpuSeconds = "cpu_seconds"
    case streams, programs, recordings
  }
}

/// Bytes and bits a second, in and out.
package struct TrafficStatus: Codable, Equatable, Sendable {
  package var bytesIn: UInt64
  package var bytesOut: UInt64
  package var bitsInPerSecond: UInt64
  package var bitsOutPerSecond: UInt64

  package init(
    bytesIn: UInt64 = 0, bytesOut: UInt64 = 0, bitsInPerSecond: UInt64 = 0,
    bitsOutPerSecond: UInt64 = 0
  ) {
    self.bytesIn = bytesIn
    self.bytesOut = bytesOut
    self.bitsInPerSecond = bitsInPerSecond
    self.bitsOutPerSecond = bitsOutPerSecond
  }

  enum CodingKeys: String, CodingKey {
    case bytesIn = "bytes_in"
    case bytesOut = "bytes_out"
    case bitsInPerSecond = "bw_in"
    case bitsOutPerSecond = "bw_out"
  }
}
