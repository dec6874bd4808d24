import Foundation
import Media
import Testing

@testable import Transcode

@Suite struct `Decoding times` {
  /// What a file says about a packet, in frames of 3000 ticks.
  private typealias Entry = (track: Track, pts: Int64?, dts: Int64?)

  private func times(_ entries: [Entry]) -> [(pts: Int64, dts: Int64)] {
    var times = DecodingTimes()
    var got: [InputPacket] = []
    for (index, entry) in entries.enumerated() {
      times.push(
        InputPacket(
          track: entry.track, pts: 0, dts: 0, duration: 3_000, isKeyframe: index == 0,
          bytes: [UInt8(truncatingIfNeeded: index)]),
        pts: entry.pts.map { $0 * 3_000 }, dts: entry.dts.map { $0 * 3_000 })
      while let packet = times.pop() { got.append(packet) }
    }
    times.finish()
    while let packet = times.pop() { got.append(packet) }
    #expect(got.map(\.bytes) == entries.indices.map { [UInt8(truncatingIfNeeded: $0)] })
    return got.map { ($0.pts / 3_000, $0.dts / 3_000) }
  }

  @Test func `those that are missing at the start are counted back from the first one`() {
    let got = times([
      (.video, 0, nil), (.audio, 0, 0), (.video, 4, nil), (.audio, 1, 1), (.video, 2, 0),
      (.video, 1, 1), (.video, 3, 2),
    ])
    #expect(got.map(\.pts) == [0, 0, 4, 1, 2, 1, 3])
    #expect(got.map(\.dts) == [-2, 0, -1, 1, 0, 1, 2])
  }

  @Test func `without any, pictures are decoded at others' times, early enough`() {
    let got = times([0, 4, 2, 1, 3, 5].map { (.video, $0, nil) })
    #expect(got.map(\.pts) == [0, 4, 2, 1, 3, 5])
    #expect(got.map(\.dts) == [-2, -1, 0, 1, 2, 3])
  }

  @Test func `a file that never says goes on in order`() {
    var shown: [Int64] = [0]
    for group in 0..<100 {
      for place: Int64 in [4, 2, 1, 3] { shown.append(Int64(group) * 4 + place) }
    }
    let entries: [Entry] = shown.map { (.video, $0, nil) }
    let got = times(entries)
    #expect(got.map(\.pts) == shown)
    for (a, b) in zip(got, got.dropFirst()) { #expect(a.dts <= b.dts) }
    #expect(got.allSatisfy { $0.pts - $0.dts <= 6 })
  }

  @Test func `without any times a packet follows the one before`() {
    let got = times([(.video, nil, nil), (.audio, nil, nil), (.video, nil, nil)])
    #expect(got.map(\.pts) == [0, 0, 1])
    #expect(got.map(\.dts) == [0, 0, 1])
  }

  @Test func `a picture that stands still doesn't keep the sound back for ever`() {
    var times = DecodingTimes()
    var count = 0
    for index in 0..<5_000 {
      times.push(
        InputPacket(
          track: index == 0 ? .video : .audio, pts: 0, dts: 0, duration: 1, isKeyframe: true,
          bytes: [0]),
        pts: Int64(index), dts: index == 0 ? nil : Int64(index))
      while times.pop() != nil { count += 1 }
    }
    #expect(count == 5_000)
  }

  /// Two seconds with B-frames that refer to B-frames, in Matroska; and the same in MP4.
  private func media(_ encoder: [String]) throws -> (matroska: TemporaryFile, mp4: TemporaryFile) {
    let path = NSTemporaryDirectory() + "wedlive-reordered-\(UUID().uuidString)"
    defer { for suffix in [".mkv", ".mp4"] { unsafe unlink(path + suffix) } }
    try ffmpeg(
      ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "sine", "-t", "2"]
        + encoder + ["-c:a", "aac", path + ".mp4"])
    try ffmpeg(["-i", path + ".mp4", "-c", "copy", path + ".mkv"])
    func file(_ suffix: String) throws -> TemporaryFile {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path + suffix))
      return try TemporaryFile([UInt8](bytes), suffix: suffix)
    }
    return (try file(".mkv"), try file(".mp4"))
  }

  @Test func `H.264 from Matroska is shown when it is in MP4`() throws {
    let (matroska, mp4) = try media(["-c:v", "libx264", "-bf", "3", "-b_strategy", "0"])
    let got = frames(try fileEvents(matroska), .video)
    let wanted = frames(try fileEvents(mp4), .video)
    #expect(got.map(\.payload) == wanted.map(\.payload))
    let (start, wantedStart) = try (#require(got.first).pts, #require(wanted.first).pts)
    for (a, b) in zip(got, wanted) {
      // Matroska's times are whole milliseconds.
      #expect((a.pts - start - (b.pts - wantedStart)).ticks.magnitude <= 90)
    }
    for (a, b) in zip(got, got.dropFirst()) { #expect(a.dts < b.dts) }
    #expect(got.allSatisfy { $0.pts >= $0.dts })
  }

  @Test func `H.265 from Matroska loses no picture`() throws {
    let (matroska, _) = try media([
      "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
      "log-level=error:bframes=3:b-adapt=0",
    ])
    var options = FileSource.Options()
    options.video.preset = "ultrafast"
    let shown = frames(try fileEvents(matroska, options), .video).map(\.pts).sorted()
    #expect(shown.count == 50)
    for (a, b) in zip(shown, shown.dropFirst()) { #expect(abs((b - a).seconds - 0.04) < 0.002) }
  }
}
