import Media
import Testing

@testable import Transcode

// The name is one that `make sanitize` leaves out: these start confined children.
@Suite struct `Worker process of a ladder` {
  /// Checks what every rung must keep, and returns its frames.
  @discardableResult private func check(
    _ peer: LadderPeer, rung: Int, shows times: [MediaTime], cuts: [MediaTime]
  ) throws -> [Frame] {
    let frames = peer.output(.rung(rung)).frames
    let avc = try peer.configuration(rung: rung)
    #expect(avc.lengthSize == 4)
    #expect(avc.profile == 100)
    #expect(frames.map(\.frame.pts).sorted() == times)
    #expect(frames.filter(\.isCut).map(\.frame.pts) == cuts)
    #expect(frames.filter(\.frame.isKeyframe).map(\.frame.pts) == cuts)
    var last = MediaTime(ticks: .min)
    for (frame, isCut) in frames {
      #expect(frame.dts > last)
      #expect(frame.dts <= frame.pts)
      last = frame.dts
      // In decoding order nothing of an earlier segment follows its end.
      if isCut {
        let later = frames.drop { $0.frame.dts < frame.dts }
        #expect(later.allSatisfy { $0.frame.pts >= frame.pts })
      }
    }
    return frames.map(\.frame)
  }

  @Test(arguments: ["", "veryfast"])
  func `every rung has the source's pictures and segments`(preset: String) throws {
    let source = try testEvents(frames: 150)
    var job = smallJob()
    if !preset.isEmpty { job.preset = preset }
    let peer = try LadderPeer(job)
    peer.send(commands(source))
    try peer.drain()
    let times = frames(source, .video).map(\.pts)
    for (rung, size) in [(0, (320, 180)), (1, (160, 90))] {
      try check(peer, rung: rung, shows: times, cuts: [times[0], times[60], times[120]])
      let avc = try peer.configuration(rung: rung)
      #expect(avc.picture?.width == size.0)
      #expect(avc.picture?.height == size.1)
    }
  }

  @Test func `flash and beep come within a frame of each other in every rung`() throws {
    let timeline = TestTimeline(rate: FrameRate(30), startFrame: 11)
    let source = try testEvents(frames: 160, timeline: timeline)
    let peer = try LadderPeer(smallJob())
    peer.send(commands(source))
    try peer.drain()
    for (rung, size) in [(0, (320, 180)), (1, (160, 90))] {
      let layout = TestPictureLayout(width: size.0, height: size.1)
      let decoded = try Decoded(peer.file(rung: rung), area: layout.flashArea)
      #expect(decoded.pictures.count == 160)
      let (flashes, beeps) = decoded.marks()
      #expect(flashes.count == 5)
      #expect(beeps.count == 5)
      for (second, (flash, beep)) in zip(flashes, beeps).enumerated() {
        #expect(abs(flash - beep) < 1.0 / 30)
        #expect(abs(flash - (Double(second) + 19.0 / 30)) < 0.002)
      }
    }
  }
}
