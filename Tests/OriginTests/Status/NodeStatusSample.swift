import ControlAPI
import Media
import Origin

extension NodeStatus {
  /// A node with a stream that has all there is to show, and one that has nothing.
  static var sample: NodeStatus {
    let publisher = ClientStatus(
      id: 1, address: "192.0.2.7", timeMilliseconds: 754_000, isPublishing: true, isSecure: true,
      flashVersion: "FMLE/3.0 (compatible; FMSc/1.0)", avSyncMilliseconds: -7,
      timestampMilliseconds: 753_921)
    let player = ClientStatus(
      id: 2, address: "2001:db8::1", timeMilliseconds: 12_000, flashVersion: "LNX <9>",
      pageURL: "https://a.example/?a=1&b=2", dropped: 31)
    let busy = StreamStatus(
      wedding: "anna-ben", startedAtMilliseconds: 1_795_818_841_900, timeMilliseconds: 754_000,
      traffic: TrafficStatus(
        bytesIn: 260_000_000, bytesOut: 4_200_000_000, bitsInPerSecond: 2_731_000,
        bitsOutPerSecond: 41_000_000),
      audioBitsPerSecond: 131_000, videoBitsPerSecond: 2_600_000,
      bitrateHistory: (0..<90).map { 2_400_000 + UInt64($0 * 7919 % 700) * 1_000 },
      viewers: 217,
      video: VideoStatus(
        codec: .h264, width: 1920, height: 1080, frameRate: 29.97, profile: "High", level: 4.1,
        compatibility: 0),
      audio: AudioStatus(codec: .aac, profile: "LC", channels: 2, sampleRate: 48_000),
      playlist: PlaylistStatus(
        mediaSequence: 231, segments: 20, discontinuities: 1, memoryBytes: 21 << 20),
      renditions: [
        StreamQuality(
          name: "source", width: 1920, height: 1080, frameRate: 29.97, bandwidth: 3_100_000,
          averageBandwidth: 2_700_000, codecs: ["avc1.640029", "mp4a.40.2"], isOpen: true,
          plans: ["premium"]),
        StreamQuality(
          name: "720p", width: 1280, height: 720, frameRate: 29.97, bandwidth: 3_294_000,
          averageBandwidth: 2_910_000, codecs: ["avc1.64001f", "mp4a.40.2"], isOpen: true,
          plans: ["free", "premium"]),
      ],
      ladder: LadderStatus(
        state: .encoding, encoded: ["720p"], lagMilliseconds: 40, step: 1, decoded: 22_600,
        dropped: 3, processID: 4712),
      clients: [publisher, player],
      sent: [
        SentStatus(
          receiver: "viewers", rendition: nil, bytesOut: 1_200_000, bitsOutPerSecond: 9_000),
        SentStatus(
          receiver: "viewers", rendition: "720p", bytesOut: 4_198_800_000,
          bitsOutPerSecond: 40_991_000),
      ])
    let away = StreamStatus(wedding: "carla & dan", camera: "church", state: .waiting)
    return NodeStatus(
      node: "origin-1", version: "0.1.0", pid: 4711, uptimeMilliseconds: 93_784_000,
      watchBase: "https://localhost:8443/watch/", remark: "the disk is nearly full",
      cipher: "libipsec-mb 1.3.0", accepted: 12, rtmpConnections: 2, httpConnections: 217,
      traffic: TrafficStatus(
        bytesIn: 260_000_000, bytesOut: 4_200_000_000, bitsInPerSecond: 2_731_000,
        bitsOutPerSecond: 41_000_000),
      memoryBytes: 93 << 20, cpuSeconds: 18.25, streams: [busy, away],
      programs: [
        ProgramSummary(
          wedding: "carla & dan", camera: "church", viewers: 41, segments: 20, nextSequence: 300,
          switches: 7)
      ])
  }
}
