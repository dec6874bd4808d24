import Media
import Testing

@testable import HLS

@Suite struct `Rung packager` {
  /// A source, and what a ladder is told of it.
  private final class Source {
    let packager: StreamPackager
    var segments: [Segment] = []
    var placed: [PlacedFrame] = []

    init(_ publisher: Publisher, seconds: Int64) throws {
      packager = try HLSTests.packager(publisher)
      packager.onPlaced = { [unowned self] in placed.append($0) }
      for frame in publisher.frames(seconds: seconds) {
        segments += packager.append(frame, date: 1_000_000 + frame.dts.milliseconds)
      }
      if let last = packager.interrupt() { segments.append(last) }
    }

    /// When the first picture of each segment is shown.
    var starts: [MediaTime] { placed.filter(\.isFirst).map(\.frame.pts) }

    func end(_ index: Int) -> MediaTime? { index + 1 < starts.count ? starts[index + 1] : nil }
  }

  @Test func `a source says which frame begins which segment`() throws {
    let source = try Source(Publisher(), seconds: 24)
    let firsts = source.placed.filter(\.isFirst)
    #expect(firsts.map(\.sequence) == source.segments.map(\.sequence))
    #expect(firsts.map(\.frame.dts) == source.segments.map(\.startTime))
    #expect(firsts.allSatisfy { $0.frame.isKeyframe && $0.frame.track == .video })
    #expect(source.placed.count == Publisher().frames(seconds: 24).count)
  }

  @Test func `where there are no pictures the first sound begins it`() throws {
    var publisher = Publisher()
    publisher.hasVideo = false
    let source = try Source(publisher, seconds: 20)
    #expect(source.placed.filter(\.isFirst).count == source.segments.count)
  }

  @Test(arguments: [false, true])
  func `segments have the source's places, and every frame once`(reordered: Bool) throws {
    var publisher = Publisher()
    publisher.hasReordering = reordered
    let source = try Source(publisher, seconds: 40)
    var rung = RungPackager()
    for configuration in try publisher.configurations() { rung.configure(configuration) }
    // Sound comes a second after the pictures it belongs to, as encoders are not equally fast.
    let pictures = source.placed.map(\.frame).filter { $0.track == .video }
    let sounds = source.placed.map(\.frame).filter { $0.track == .audio }
    var made: [Segment] = []
    var heard = 0
    func finish(_ isOver: Bool) throws {
      while made.count < source.segments.count {
        let end = source.end(made.count)
        if let end, !rung.isComplete(until: end, hasAudio: true), !isOver { return }
        guard end != nil || isOver else { return }
        let segment = rung.segment(like: source.segments[made.count], until: end)
        made.append(try #require(segment))
      }
    }
    for picture in pictures {
      rung.append(picture)
      while heard < sounds.count, sounds[heard].dts.milliseconds < picture.dts.milliseconds - 1_000
      {
        rung.append(sounds[heard])
        heard += 1
      }
      try finish(false)
    }
    for sound in sounds[heard...] { rung.append(sound) }
    try finish(true)
    #expect(rung.waitingBytes == 0)
    #expect(made.map(\.sequence) == source.segments.map(\.sequence))
    #expect(made.map(\.duration) == source.segments.map(\.duration))
    #expect(made.map(\.programDate) == source.segments.map(\.programDate))
    #expect(made.allSatisfy { $0.isIndependent })
    #expect(Set(made.map(\.name)).isDisjoint(with: source.segments.map(\.name)))
    var viewer = Viewer()
    viewer.take(made)
    #expect(viewer.checker.problems == [])

    var reader = TransportStreamReader()
    for segment in made { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    let shown = reader.packets.filter { $0.pid == 0x100 }
    #expect(shown.map(\.pts) == pictures.map { $0.pts.ticks + 900_000 })
    #expect(shown.map(\.dts) == pictures.map { $0.dts.ticks + 900_000 })
    let sent = reader.packets.filter { $0.pid == 0x101 }.flatMap {
      TransportStreamReader.adts($0.data).map(\.frame)
    }
    #expect(sent == sounds.map(\.data))
  }

  @Test func `a part without pictures comes from elsewhere, and time goes on`() throws {
    let publisher = Publisher()
    let source = try Source(publisher, seconds: 16)
    var rung = RungPackager()
    let tracks = try publisher.configurations()
    for configuration in tracks { rung.configure(configuration) }
    let missing = source.segments[1].sequence
    for placed in source.placed where placed.sequence != missing { rung.append(placed.frame) }
    var made: [Segment] = []
    for (index, segment) in source.segments.enumerated() {
      if let own = rung.segment(like: segment, until: source.end(index)) {
        made.append(own)
      } else {
        #expect(segment.sequence == missing)
        let frames = source.placed.filter { $0.sequence == missing }.map(\.frame)
        made.append(
          rung.write(
            RungPackager.Part(video: tracks[0], audio: tracks[1], frames: frames), like: segment))
      }
    }
    var reader = TransportStreamReader()
    for segment in made { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    #expect(reader.packets.filter { $0.pid == 0x100 }.count == 16 * 25)
  }

  @Test func `what a rung needs is declared at first and measured then`() throws {
    let publisher = Publisher()
    let source = try Source(publisher, seconds: 12)
    var rung = RungPackager()
    #expect(rung.variant(bitrate: 100_000, frameRate: 25) == nil)
    for configuration in try publisher.configurations() { rung.configure(configuration) }
    let declared = try #require(rung.variant(bitrate: 100_000, frameRate: 25))
    #expect(declared.bandwidth == 112_500)
    #expect(declared.codecs == ["avc1.42C00D", "mp4a.40.2"])
    for placed in source.placed { rung.append(placed.frame) }
    for (index, segment) in source.segments.enumerated() {
      _ = rung.segment(like: segment, until: source.end(index))
    }
    let measured = try #require(rung.variant(bitrate: 100_000, frameRate: 25))
    #expect(measured.bandwidth == max(112_500, rung.statistics.peakBitrate))
    #expect(rung.statistics.peakBitrate > 112_500)
  }
}
