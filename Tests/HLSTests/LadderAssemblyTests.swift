import Media
import Testing

@testable import HLS

@Suite struct `Ladder assembly` {
  @Test(arguments: [false, true])
  func `every rung has the source's segments, and every frame once`(reordered: Bool) throws {
    var publisher = Publisher()
    publisher.hasReordering = reordered
    let source = try LadderSource(publisher: publisher)
    let frames = publisher.frames(seconds: 40)
    source.publish(frames)
    source.leave()
    for rung in 0..<2 {
      let made = source.made(rung)
      #expect(made.map(\.sequence) == source.segments.map(\.sequence))
      #expect(made.map(\.duration) == source.segments.map(\.duration))
      #expect(made.map(\.programDate) == source.segments.map(\.programDate))
      #expect(made.allSatisfy { $0.isIndependent })
      #expect(source.origins(rung).allSatisfy { $0 == .own })
      #expect(Set(made.map(\.name)).isDisjoint(with: source.segments.map(\.name)))
      let received = source.received(rung)
      #expect(received.problems == [])
      #expect(received.hasPictures(of: frames))
      #expect(received.hasSounds(of: frames))
      var viewer = Viewer()
      viewer.take(made)
      #expect(viewer.checker.problems == [])
    }
    #expect(source.assembly.parts.isEmpty)
    #expect(source.assembly.keptBytes == 0)
  }

  @Test func `a segment comes as soon as the next picture has come in both tracks`() throws {
    let source = try LadderSource(rungs: 1)
    let frames = Publisher().frames(seconds: 20)
    var lags: [Int64] = []
    for frame in frames {
      source.publish([frame])
      if source.outputs.count == lags.count + 1, let last = source.segments.last {
        lags.append((frame.dts - last.startTime - last.duration).milliseconds)
      }
    }
    #expect(lags.count == 4)
    #expect(lags.allSatisfy { $0 <= 40 })
  }

  @Test func `the last picture of a segment is enough, and the next one need not have come`() throws
  {
    let source = try LadderSource(rungs: 1)
    source.isWorking = false
    source.startEncoders()
    source.publish(Publisher().frames(seconds: 5))
    let end = try #require(source.segments.first.map { $0.startTime + $0.duration })
    let held = source.held[0]
    source.held[0] = held.filter { $0.track == .audio || $0.pts < end }
    let last = try #require(source.held[0].lastIndex { $0.track == .video })
    let picture = source.held[0].remove(at: last)
    source.give(0)
    #expect(source.outputs.isEmpty)
    source.held[0] = [picture]
    source.give(0)
    #expect(source.origins(0) == [.own])
    #expect(source.received(0).pictures.count == 100)
  }

  @Test func `encoders that are lost make again what no segment has`() throws {
    let publisher = Publisher()
    let source = try LadderSource()
    let frames = publisher.frames(seconds: 40)
    source.publish(Array(frames[..<500]))
    // One rung gives more than the other before both are gone, in the middle of a segment.
    source.isWorking = false
    source.publish(Array(frames[500..<700]))
    source.give(0)
    #expect(source.made(0).count > source.made(1).count)
    source.replaceEncoders()
    source.isWorking = true
    source.publish(Array(frames[700...]))
    source.leave()
    for rung in 0..<2 {
      #expect(source.origins(rung).allSatisfy { $0 == .own })
      #expect(source.made(rung).map(\.sequence) == source.segments.map(\.sequence))
      let received = source.received(rung)
      #expect(received.problems == [])
      #expect(received.hasPictures(of: frames))
      #expect(received.hasSounds(of: frames))
    }
  }

  @Test func `what does not come in time comes from elsewhere`() throws {
    let publisher = Publisher()
    let source = try LadderSource(rungs: 3, patience: 2)
    let frames = publisher.frames(seconds: 40)
    source.isWorking = false
    source.startEncoders()
    for frame in frames {
      source.publish([frame])
      // The middle one alone keeps up.
      source.give(1)
    }
    #expect(source.origins(1).allSatisfy { $0 == .own })
    #expect(source.origins(0).allSatisfy { $0 == .rung(1) })
    #expect(source.origins(2).allSatisfy { $0 == .rung(1) })
    // Two finished segments are waited for, and no more is kept than that.
    #expect(source.made(0).count == source.segments.count - 2)
    #expect(source.assembly.parts.count <= 4)
    #expect(source.received(0).problems == [])
    #expect(source.received(0).pictures.count == source.made(0).count * 100)
  }

  @Test func `for a rung that nobody watches another one stands in, and its own come when it is`()
    throws
  {
    let source = try LadderSource(rungs: 3)
    let frames = Publisher().frames(seconds: 40)
    source.wanted = 0b101
    source.publish(Array(frames[..<500]))
    source.wanted = 0b111
    source.publish(Array(frames[500..<1_000]))
    source.wanted = 0
    source.publish(Array(frames[1_000...]))
    source.leave()
    for rung in 0..<3 {
      let made = source.made(rung)
      #expect(made.map(\.sequence) == source.segments.map(\.sequence))
      #expect(made.allSatisfy { $0.isIndependent })
      #expect(source.received(rung).problems == [])
      #expect(source.received(rung).hasPictures(of: frames))
    }
    // The last one before a rung is let go of comes from elsewhere, too.
    #expect(source.origins(0) == Self.origins((3, .own), (7, .source)))
    #expect(source.origins(1) == Self.origins((2, .rung(2)), (1, .own), (7, .source)))
  }

  private static func origins(
    _ runs: (count: Int, origin: LadderAssembly.Origin)...
  ) -> [LadderAssembly.Origin] {
    runs.flatMap { Array(repeating: $0.origin, count: $0.count) }
  }

  @Test func `without any encoder every rung has the source's pictures`() throws {
    let source = try LadderSource(rungs: 2, patience: 1)
    source.isWorking = false
    let frames = Publisher().frames(seconds: 40)
    source.publish(frames)
    for rung in 0..<2 {
      #expect(source.origins(rung).count == source.segments.count - 1)
      #expect(source.origins(rung).allSatisfy { $0 == .source })
      let received = source.received(rung)
      #expect(received.problems == [])
      #expect(received.hasPictures(of: Array(frames.filter { $0.track == .video }.prefix(800))))
    }
    // Encoders that come back late give their own again, from the first one that is not made.
    source.replaceEncoders()
    source.isWorking = true
    source.publish(Publisher().frames(from: 40_000, seconds: 20))
    source.leave()
    #expect(source.origins(0).suffix(5).allSatisfy { $0 == .own })
    #expect(source.made(0).map(\.sequence) == source.segments.map(\.sequence))
    #expect(source.received(0).problems == [])
  }

  @Test func `a publisher that returns with other settings goes on in the same rungs`() throws {
    let source = try LadderSource()
    source.publish(Publisher().frames(seconds: 18))
    source.leave()
    let other = try Publisher.configuration(.h264, Publisher.avcOther)
    source.packager.configure(other)
    source.packager.configure(source.tracks[1])
    source.publish(Publisher().frames(from: 100_000, seconds: 20))
    source.leave()
    for rung in 0..<2 {
      let made = source.made(rung)
      #expect(made.map(\.sequence) == source.segments.map(\.sequence))
      #expect(made.map(\.isDiscontinuity) == source.segments.map(\.isDiscontinuity))
      #expect(made.filter { $0.isDiscontinuity }.count == 1)
      #expect(source.origins(rung).allSatisfy { $0 == .own })
      #expect(source.received(rung).problems == [])
      #expect(source.received(rung).pictures.count == 38 * 25)
    }
  }

  @Test func `a rung that comes later begins with the segment that runs`() throws {
    let source = try LadderSource(rungs: 2)
    source.activatesAll = false
    let frames = Publisher().frames(seconds: 40)
    source.assembly.activate([1])
    source.publish(Array(frames.prefix { $0.dts.milliseconds < 18_000 }))
    #expect(source.assembly.activate([0, 1]) == [0])
    source.publish(Array(frames.drop { $0.dts.milliseconds < 18_000 }))
    source.leave()
    #expect(source.made(1).map(\.sequence) == Array(0...9))
    #expect(source.made(0).map(\.sequence) == Array(4...9))
    #expect(source.assembly.active == [0, 1])
  }

  @Test func `nothing is kept of what encoders give for a rung that the stream hasn't got`() throws
  {
    let source = try LadderSource(rungs: 2)
    source.activatesAll = false
    source.assembly.activate([1])
    source.publish(Publisher().frames(seconds: 30))
    let later = Publisher().frames(from: 30_000, seconds: 30)
    source.publish(later)
    #expect(source.assembly.keptBytes < later.reduce(0) { $0 + $1.keptBytes } / 2)
    #expect(source.made(1).count > 9)
  }

  @Test func `what is given up comes from elsewhere at once`() throws {
    let source = try LadderSource(rungs: 2, patience: 5)
    source.isWorking = false
    source.publish(Publisher().frames(seconds: 18))
    #expect(source.outputs.isEmpty)
    source.assembly.giveUp()
    source.publish(Publisher().frames(from: 18_000, seconds: 1))
    #expect(source.made(0).count == 4)
    #expect(source.origins(1).allSatisfy { $0 == .source })
    // The segments after it are waited for again.
    source.publish(Publisher().frames(from: 19_000, seconds: 9))
    #expect(source.made(0).count == 4)
  }

  @Test func `sound that stops is not waited for`() throws {
    let source = try LadderSource(rungs: 1)
    source.publish(
      Publisher().frames(seconds: 40).filter { $0.track == .video || $0.dts.milliseconds < 9_000 })
    #expect(source.made(0).count == source.segments.count)
    #expect(source.origins(0).allSatisfy { $0 == .own })
  }

  @Test func `a source without pictures is its own rungs`() throws {
    var publisher = Publisher()
    publisher.hasVideo = false
    let source = try LadderSource(publisher: publisher)
    source.publish(publisher.frames(seconds: 20))
    #expect(source.made(0).count == source.segments.count)
    #expect(source.origins(0).allSatisfy { $0 == .source })
  }

  @Test func `what a rung needs is declared at first and measured then`() throws {
    let source = try LadderSource(rungs: 1)
    #expect(source.assembly.variant(0, bitrate: 100_000, frameRate: 25) == nil)
    source.startEncoders()
    let declared = try #require(source.assembly.variant(0, bitrate: 100_000, frameRate: 25))
    #expect(declared.bandwidth == 112_500)
    #expect(declared.codecs == ["avc1.42C00D", "mp4a.40.2"])
    source.publish(Publisher().frames(seconds: 12))
    let measured = try #require(source.assembly.variant(0, bitrate: 100_000, frameRate: 25))
    #expect(measured.bandwidth == source.assembly.statistics(0).peakBitrate)
    #expect(measured.bandwidth > 112_500)
  }
}
