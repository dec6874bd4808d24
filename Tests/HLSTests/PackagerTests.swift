import Media
import Testing

@testable import HLS

@Suite struct `Stream packager` {
  @Test(arguments: [false, true])
  func `every frame comes out once, unchanged and in time, over 100 segments`(
    reordered: Bool
  ) throws {
    var publisher = Publisher()
    publisher.hasReordering = reordered
    let frames = publisher.frames(seconds: 404)
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(frames, packager)
    if let last = packager.interrupt() { viewer.take([last]) }
    #expect(viewer.segments.count == 101)
    #expect(viewer.checker.problems == [])

    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    #expect(reader.programMaps.count == 101)
    #expect(Set(reader.programMaps).count == 1)
    let pictures = frames.filter { $0.track == .video }
    let shown = reader.packets.filter { $0.pid == 0x100 }
    #expect(shown.count == pictures.count)
    for (picture, packet) in zip(pictures, shown) {
      #expect(packet.pts == picture.pts.ticks + 900_000)
      #expect(packet.dts == picture.dts.ticks + 900_000)
      #expect(packet.isRandomAccess == picture.isKeyframe)
      let units = TransportStreamReader.units(packet.data)
      #expect(units.first == [9, 0xF0])
      #expect(
        Array(units.dropFirst(picture.isKeyframe ? 3 : 1)) == picture.units)
    }
    let sounds = frames.filter { $0.track == .audio }
    var heard = 0
    for packet in reader.packets where packet.pid == 0x101 {
      for (offset, frame) in TransportStreamReader.adts(packet.data).enumerated() {
        let source = sounds[heard]
        #expect(frame.frame == source.data)
        #expect(abs(packet.pts + Int64(offset) * 1_920 - source.pts.ticks - 900_000) <= 270)
        if offset == 0 { #expect(packet.pts == source.pts.ticks + 900_000) }
        heard += 1
      }
    }
    #expect(heard == sounds.count)
    // References never run ahead of the decoding times they come with.
    #expect(reader.references == shown.map { $0.dts - 63_000 })
    #expect(packager.statistics.droppedFrames == 0)
    #expect(packager.statistics.repairs == 0)
  }

  @Test func `segments begin with keyframes and last as the playlist says`() throws {
    let publisher = Publisher()
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 60), packager)
    #expect(viewer.checker.targetDuration == 4)
    #expect(viewer.durations.allSatisfy { $0 == 4 })
    #expect(viewer.segments.allSatisfy { $0.isIndependent && !$0.isDiscontinuity })
    #expect(viewer.checker.isIndependent)
    let info = try #require(packager.variant)
    #expect(info.codecs == ["avc1.42C00D", "mp4a.40.2"])
    #expect(info.size == PictureSize(width: 320, height: 180))
    #expect(info.frameRate == 25)
    #expect(info.bandwidth >= info.averageBandwidth)
    #expect(Double(info.bandwidth) < Double(info.averageBandwidth) * 1.25)
  }

  @Test(arguments: [(50, 3, 4), (25, 3, 3), (75, 3, 3), (250, 3, 10), (208, 3, 9), (12, 3, 3)])
  func `the target duration follows the publisher's keyframes`(
    group: Int64, fragment: Int64, target: Int
  ) throws {
    var publisher = Publisher()
    publisher.group = group
    let packager = try packager(publisher, fragment: fragment * 1_000)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 120), packager)
    #expect(viewer.checker.targetDuration == target)
    #expect(viewer.checker.problems == [])
    #expect(viewer.segments.allSatisfy { $0.isIndependent })
    #expect(packager.statistics.forcedCuts == 0)
  }

  @Test func `keyframes at random never make a playlist invalid`() throws {
    for seed in 0..<8 as Range<UInt64> {
      var random = SeededGenerator(state: seed)
      let publisher = Publisher(hasAudio: seed % 2 == 0, pictureBytes: 50...60)
      let packager = try packager(publisher)
      if !publisher.hasAudio {
        packager.configure(try Publisher.configuration(.h264, Publisher.avc))
      }
      var viewer = Viewer()
      var next: Int64 = 0
      var number: Int64 = 0
      for var frame in publisher.frames(seconds: 300) {
        if frame.track == .video {
          frame.isKeyframe = number == next
          if number == next { next += .random(in: 5...300, using: &random) }
          number += 1
        }
        viewer.watch([frame], packager)
      }
      #expect(viewer.checker.problems == [])
      #expect(viewer.checker.isIndependent == viewer.segments.allSatisfy { $0.isIndependent })
      var reader = TransportStreamReader()
      for segment in viewer.segments { reader.read(segment.bytes) }
      #expect(reader.problems == [])
    }
  }

  @Test func `a stream without keyframes is cut all the same, and says so`() throws {
    var publisher = Publisher()
    publisher.group = 1_000_000
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 120), packager)
    #expect(viewer.segments.count >= 9)
    #expect(viewer.checker.problems == [])
    #expect(viewer.segments[0].isIndependent)
    #expect(!viewer.segments[1].isIndependent)
    #expect(!viewer.checker.isIndependent)
    #expect(packager.statistics.forcedCuts == viewer.segments.count)
  }

  @Test func `a picture that comes late makes no segment longer than the target`() throws {
    var publisher = Publisher()
    publisher.hasAudio = false
    // Keyframes each second at first, then none, and a third of a second without a picture.
    publisher.group = 25
    let frames = publisher.frames(seconds: 8).filter { frame in
      !(frame.dts.milliseconds % 1_000 > 160 && frame.dts.milliseconds % 1_000 < 520)
        && !(frame.dts.milliseconds > 2_500 && frame.isKeyframe)
    }
    let packager = try packager(publisher, fragment: 1_000)
    var viewer = Viewer()
    viewer.watch(frames, packager)
    if let last = packager.interrupt() { viewer.take([last]) }
    #expect(viewer.checker.problems == [])
    #expect(viewer.segments.allSatisfy { $0.duration.seconds < 1.5 })
    #expect(viewer.segments.contains { $0.duration.seconds > 1.4 })
  }

  @Test func `sound alone is cut at the fragment`() throws {
    var publisher = Publisher()
    publisher.hasVideo = false
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 60), packager)
    if let last = packager.interrupt() { viewer.take([last]) }
    #expect(viewer.checker.targetDuration == 3)
    #expect(viewer.checker.problems == [])
    #expect(viewer.durations.dropLast().allSatisfy { abs($0 - 2.86) < 0.05 })
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    #expect(!reader.references.isEmpty)
    let heard = reader.packets.flatMap { TransportStreamReader.adts($0.data) }.count
    #expect(heard == publisher.frames(seconds: 60).count)
    #expect(packager.variant?.codecs == ["mp4a.40.2"])
  }

  @Test func `pictures alone are packaged`() throws {
    var publisher = Publisher()
    publisher.hasAudio = false
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 60), packager)
    #expect(viewer.segments.count == 14)
    #expect(viewer.checker.problems == [])
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.packets.count == 25 * 56)
    #expect(packager.variant?.codecs == ["avc1.42C00D"])
  }

  @Test func `a publisher that drops and returns goes on after one discontinuity`() throws {
    let publisher = Publisher()
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 31), packager)
    if let last = packager.interrupt() { viewer.take([last]) }
    let before = viewer.segments.count
    #expect(packager.interrupt() == nil)
    // The new connection's clock begins at another time, in the middle of a group.
    var second = publisher
    second.base = 7_000_000
    for configuration in try second.configurations() { packager.configure(configuration) }
    viewer.watch(second.frames(from: 1_000, seconds: 30), packager, date: 1_050_000 - 7_000_000)
    #expect(viewer.checker.problems == [])
    #expect(viewer.segments.map(\.sequence) == Array(0..<viewer.segments.count))
    #expect(viewer.segments.filter { $0.isDiscontinuity }.map(\.sequence) == [before])
    #expect(viewer.segments[before].discontinuitySequence == 1)
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    let times = reader.packets.filter { $0.pid == 0x100 }.map(\.dts)
    #expect(
      zip(times, times.dropFirst()).allSatisfy { $1 > $0 && $1 - $0 <= 3_600 + 1_920 + 22_500 })
  }

  @Test func `numbers go on in another process`() throws {
    let publisher = Publisher()
    let first = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 30), first)
    let state = viewer.window.state
    #expect(state.nextSequence == viewer.segments.count)

    let second = try packager(publisher, state: state)
    var later = Viewer(state: state)
    later.watch(publisher.frames(seconds: 30), second, date: 2_000_000)
    #expect(later.checker.problems == [])
    #expect(later.segments.first?.sequence == state.nextSequence)
    #expect(later.segments.map(\.isDiscontinuity).prefix(3) == [true, false, false])
    #expect(later.segments.allSatisfy { $0.discontinuitySequence == 1 })
    #expect(later.checker.discontinuitySequence == 0)
    #expect(later.checker.targetDuration == viewer.checker.targetDuration)
    #expect(later.segments.first?.startTime == state.endTime)
  }

  @Test func `another picture size is a discontinuity at its keyframe`() throws {
    let publisher = Publisher()
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 21), packager)
    packager.configure(try Publisher.configuration(.h264, Publisher.avcOther))
    // Repeated, it is the same one.
    packager.configure(try Publisher.configuration(.h264, Publisher.avcOther))
    viewer.watch(publisher.frames(from: 22_000, seconds: 20), packager)
    #expect(viewer.checker.problems == [])
    #expect(viewer.segments.count { $0.isDiscontinuity } == 1)
    #expect(packager.variant?.size == PictureSize(width: 1920, height: 1080))
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
  }

  @Test func `a track that begins late is announced by a discontinuity`() throws {
    var publisher = Publisher()
    publisher.hasAudio = false
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 20), packager)
    publisher.hasAudio = true
    for configuration in try publisher.configurations() { packager.configure(configuration) }
    viewer.watch(publisher.frames(from: 20_000, seconds: 20), packager)
    #expect(viewer.checker.problems == [])
    #expect(viewer.segments.count { $0.isDiscontinuity } == 1)
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    #expect(Set(reader.programMaps).count == 2)
    #expect(Set(reader.programMaps.map { $0[5] & 0x3E }).count == 2)
  }

  @Test func `what comes before the headers and the first keyframe is dropped or waits`() throws {
    let publisher = Publisher()
    let packager = StreamPackager()
    for frame in publisher.frames(from: 1_000, seconds: 1) {
      #expect(packager.append(frame, date: 0).isEmpty)
    }
    #expect(packager.statistics.droppedFrames > 60)
    packager.configure(try Publisher.configuration(.h264, Publisher.avc))
    var viewer = Viewer()
    // No sound header within a second: the pictures go on alone, from the first one that waited.
    viewer.watch(publisher.frames(from: 2_000, seconds: 9), packager)
    #expect(viewer.segments.map(\.duration.seconds) == [4, 4])
    #expect(viewer.segments[0].isIndependent)
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    #expect(reader.packets.count == 200)
  }

  @Test func `frames of a codec that isn't packaged are dropped`() throws {
    let packager = try packager(Publisher())
    packager.configure(try TrackConfiguration(codec: .av1, record: [0x81, 8, 12, 0]))
    var frame = Publisher().videoFrame(0)
    frame.codec = .av1
    #expect(packager.append(frame, date: 0).isEmpty)
    #expect(packager.statistics.droppedFrames == 1)
    #expect(packager.variant == nil)
  }
}
