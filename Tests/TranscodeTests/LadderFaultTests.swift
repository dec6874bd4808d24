import Media
import Testing

@testable import Transcode

#if canImport(Glibc)
  import Glibc
#endif

/// What goes wrong around a worker, and what it is told while it works.
@Suite struct `Worker process of a ladder in trouble` {
  /// Drawn once: that takes longer than all that is done with it.
  private static let drawn = Result { try testEvents(frames: 240) }

  /// The first of 240 pictures, which have keyframes two seconds apart, and their sound.
  private func source(_ frames: Int = 90) throws -> [LadderCommand] {
    let end = MediaTime(ticks: Int64(frames) * 3_000)
    return commands(try Self.drawn.get()).filter { command in
      if case .frame(let frame, _) = command { frame.dts < end } else { true }
    }
  }

  /// The same, some time later.
  private func shifted(_ commands: [LadderCommand], by time: MediaTime) -> [LadderCommand] {
    commands.map { command in
      guard case .frame(var frame, let isCut) = command else { return command }
      frame.dts += time
      frame.pts += time
      return .frame(frame, isCut: isCut)
    }
  }

  private func pictureTimes(_ commands: [LadderCommand]) -> [MediaTime] {
    commands.compactMap { command in
      if case .frame(let frame, _) = command, frame.track == .video { frame.pts } else { nil }
    }
  }

  @Test func `after a drain it goes on on any time line`() throws {
    let peer = try LadderPeer(smallJob())
    let first = try source(30)
    for (id, shift) in [(1, 500_000), (2, 0), (3, 900_000)] as [(UInt32, Int64)] {
      peer.send(shifted(first, by: MediaTime(milliseconds: shift)))
      try peer.drain(id)
    }
    for rung in 0..<2 {
      let frames = peer.output(.rung(rung)).frames
      #expect(frames.count == 90)
      #expect(frames.filter(\.isCut).map(\.frame.pts.milliseconds) == [500_000, 0, 900_000])
    }
    let sound = peer.output(.audio(0)).frames.map(\.frame.pts)
    #expect(sound.contains { $0 >= MediaTime(milliseconds: 900_000) })
    #expect(sound.contains { $0 < MediaTime(milliseconds: 100) })
    // A drain of nothing is answered as well.
    try peer.drain(4)
    try peer.drain(5)
  }

  @Test func `only wanted rungs are encoded, from cut to cut`() throws {
    let peer = try LadderPeer(smallJob())
    let source = try source(180)
    // Keyframes are 60 pictures apart: all, then only the small one, then all again.
    var parts: [[LadderCommand]] = [[]]
    for command in source {
      if case .frame(let frame, true) = command, frame.dts > .zero { parts.append([]) }
      parts[parts.count - 1].append(command)
    }
    let half = parts[0].count / 2
    peer.send(Array(parts[0][..<half]) + [.wanted(2)] + parts[0][half...])
    peer.send(parts[1] + [.wanted(3)] + parts[2])
    try peer.drain()
    let times = pictureTimes(source)
    let big = peer.output(.rung(0)).frames
    #expect(big.map(\.frame.pts).sorted() == Array(times[..<60] + times[120...]))
    #expect(big.filter(\.isCut).map(\.frame.pts) == [times[0], times[120]])
    #expect(peer.output(.rung(1)).frames.map(\.frame.pts).sorted() == times)
  }

  @Test func `when no rung is wanted nothing is decoded, and all goes on at a cut`() throws {
    let peer = try LadderPeer(smallJob())
    let source = try source(240)
    let cuts = source.indices.filter { index in
      if case .frame(_, true) = source[index] { true } else { false }
    }
    try #require(cuts.count == 4)
    // Keyframes are two seconds apart: nothing from the second to the fourth.
    peer.send(Array(source[..<cuts[1]]) + [.wanted(0)] + source[cuts[1]..<cuts[3]])
    peer.send([.wanted(3)] + source[cuts[3]...])
    try peer.drain()
    let times = pictureTimes(source)
    for rung in 0..<2 {
      let frames = peer.output(.rung(rung)).frames
      #expect(frames.map(\.frame.pts).sorted() == Array(times[..<60] + times[180...]))
      #expect(frames.filter(\.isCut).map(\.frame.pts) == [times[0], times[180]])
      let sound = peer.output(.audio(rung)).frames.map(\.frame.pts.seconds)
      #expect(sound.filter { $0 < 2 }.count >= 93)
      #expect(sound.filter { $0 >= 2.1 && $0 < 5.9 }.isEmpty)
      #expect(sound.filter { $0 >= 5.9 }.count >= 93)
    }
    try peer.run { if case .report = $0 { true } else { false } }
    #expect(peer.reports.last?.decoded == 120)
    #expect(peer.reports.last?.dropped == 0)
    #expect(peer.reports.last?.encoded == 240)
  }

  @Test func `a cut that is no keyframe is made one in every rung`() throws {
    let peer = try LadderPeer(smallJob())
    let source = try source(60).map { command -> LadderCommand in
      guard case .frame(let frame, let isCut) = command, frame.track == .video else {
        return command
      }
      return .frame(frame, isCut: isCut || frame.pts == MediaTime(milliseconds: 900))
    }
    peer.send(source)
    try peer.drain()
    for rung in 0..<2 {
      let cuts = peer.output(.rung(rung)).frames.filter(\.isCut)
      #expect(cuts.map(\.frame.pts.milliseconds) == [0, 900])
      #expect(cuts.allSatisfy { $0.frame.isKeyframe })
    }
  }

  @Test func `what can't be decoded is counted, and its cut is the next picture's`() throws {
    let peer = try LadderPeer(smallJob())
    // The first keyframe is lost, and a segment starts with the picture after it.
    var source = try source(90)
    let lost = try #require(
      source.firstIndex { if case .frame(_, true) = $0 { true } else { false } })
    source.remove(at: lost)
    let second = try #require(
      source.firstIndex { command in
        if case .frame(let frame, _) = command { frame.track == .video } else { false }
      })
    if case .frame(let frame, _) = source[second] { source[second] = .frame(frame, isCut: true) }
    peer.send(source)
    try peer.drain()
    let times = pictureTimes(source)
    for rung in 0..<2 {
      let frames = peer.output(.rung(rung)).frames
      #expect(frames.map(\.frame.pts).sorted() == times.filter { $0.seconds >= 2 })
      #expect(frames.filter(\.isCut).map(\.frame.pts.seconds) == [2])
    }
    try peer.run { if case .report = $0 { true } else { false } }
    #expect(peer.reports.last?.decoded == 30)
  }

  @Test func `broken bitstreams never stop it`() throws {
    let source = try source(60)
    var random = SystemRandomNumberGenerator()
    for round in 0..<6 {
      let peer = try LadderPeer(smallJob())
      let broken = source.map { command -> LadderCommand in
        switch command {
        case .frame(var frame, let isCut):
          for _ in 0..<Int.random(in: 0...1 + round, using: &random) where !frame.payload.isEmpty {
            frame.payload[Int.random(in: 0..<frame.payload.count, using: &random)] = random.next()
          }
          if Int.random(in: 0..<20, using: &random) == 0 { frame.payload.removeAll() }
          if Int.random(in: 0..<20, using: &random) == 0 {
            frame.pts += MediaTime(ticks: Int64.random(in: -90_000...90_000, using: &random))
          }
          return .frame(frame, isCut: isCut)
        case .videoConfiguration(let codec, var record, let rate) where round % 3 == 2:
          record[Int.random(in: 0..<record.count, using: &random)] = random.next()
          return .videoConfiguration(codec: codec, record: record, rate: rate)
        case .audioConfiguration(let codec, var record) where round % 3 == 1:
          record[0] = random.next()
          return .audioConfiguration(codec: codec, record: record)
        default: return command
        }
      }
      peer.send(broken)
      // A whole stream then comes out whole.
      try peer.drain()
      peer.send(source)
      try peer.drain(2)
      try #require(!peer.isClosed, "\(peer.process.wait()): \(peer.events.suffix(1))")
      let times = pictureTimes(source)
      let whole = peer.output(.rung(1)).frames.suffix(60).map(\.frame.pts).sorted()
      #expect(whole == times)
      for index in 0..<2 {
        var last = MediaTime(ticks: .min)
        for event in peer.events {
          if case .drained = event { last = MediaTime(ticks: .min) }
          guard case .frame(.rung(index), let frame, _) = event else { continue }
          #expect(frame.dts > last)
          #expect(frame.dts <= frame.pts)
          last = frame.dts
        }
      }
    }
  }

  @Test func `a decoder that has nothing to give when it is ended is no reason to end`() throws {
    let peer = try LadderPeer(smallJob())
    // The head says 16,384 lines, which is more than is decoded.
    let head: [UInt8] = [
      0x01, 0x42, 0x00, 0x3E, 0xFF, 0xE1, 0x00, 0x0B, 0x67, 0x42, 0x00, 0x3E, 0xDC, 0x00, 0x40,
      0x00, 0x02, 0x00, 0x62, 0x01, 0x00, 0x04, 0x68, 0xCE, 0x3C, 0x80,
    ]
    let source = try source(60)
    peer.send(
      source.map { command in
        guard case .videoConfiguration(let codec, _, let rate) = command else { return command }
        return .videoConfiguration(codec: codec, record: head, rate: rate)
      })
    try peer.drain()
    peer.send(source)
    try peer.drain(2)
    try #require(!peer.isClosed, "\(peer.process.wait()): \(peer.events.suffix(1))")
    #expect(peer.output(.rung(1)).frames.map(\.frame.pts).sorted() == pictureTimes(source))
  }

  @Test func `sound that says it has one sample a second is passed over`() throws {
    let peer = try LadderPeer(smallJob())
    // A FLAC stream's head, and a packet that would be heard for more than an hour.
    let head: [UInt8] = [
      0x10, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x15, 0x00, 0x00, 0x10, 0xF0, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00,
    ]
    let packet: [UInt8] = [
      0xFF, 0xF8, 0xCD, 0x08, 0x00, 0x00, 0x01, 0x28, 0x00, 0x00, 0x00, 0x64, 0xE5,
    ]
    peer.send([.audioConfiguration(codec: .flac, record: head)])
    for index in 0..<8 {
      let time = MediaTime(milliseconds: Int64(index * 20))
      let frame = Frame(
        track: .audio, codec: .flac, dts: time, pts: time, isKeyframe: true, payload: packet)
      peer.send([.frame(frame, isCut: false)])
    }
    peer.send([.drain(1)])
    try peer.run(seconds: 20) { $0 == .drained(1) }
    #expect(!peer.isClosed)
    #expect(peer.output(.audio(0)).frames.isEmpty)
  }

  @Test func `what is no command ends it with a reason`() throws {
    let peer = try LadderPeer(smallJob())
    unsafe Array("GET / HTTP/1.1\r\n\r\n".utf8).withUnsafeBytes { bytes in
      _ = unsafe write(peer.process.descriptor, bytes.baseAddress, bytes.count)
    }
    try peer.run()
    guard case .failed(let error) = peer.events.last else {
      Issue.record("no reason: \(peer.events)")
      return
    }
    #expect(error.code == .usage)
    #expect(peer.process.wait() == .exited(status: 64))
  }

  @Test(arguments: [("libnothing", "veryfast"), ("libx264", "warp"), ("mjpeg", "")])
  func `an encoder that is not there ends it with its name`(
    encoder: String, preset: String
  ) throws {
    var job = smallJob()
    job.encoder = encoder
    job.preset = preset
    let peer = try LadderPeer(job)
    peer.send(try source(30))
    try peer.run()
    guard case .failed(let error) = peer.events.last else {
      Issue.record("no reason: \(peer.events)")
      return
    }
    #expect(error.message.contains(encoder), "\(error)")
    #expect(peer.process.wait() == .exited(status: CInt(error.code.rawValue)))
  }

  @Test func `a memory limit that is too small ends it and is no hang`() throws {
    let source = try publishedEvents([
      "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=25", "-t", "1", "-c:v", "libx264", "-preset",
      "ultrafast",
    ])
    var job = smallJob(LadderRung.defaults)
    job.limits.memoryBytes = 420 << 20
    let peer = try LadderPeer(job)
    peer.send(commands(source))
    try peer.drain()
    // One that goes on would be waited for in vain.
    try #require(peer.isClosed)
    #expect(peer.process.wait() != .exited(status: 0))
  }

  @Test func `it ends when its socket closes, also with media in it`() throws {
    let peer = try LadderPeer(smallJob())
    peer.send(try source(60))
    try peer.run { if case .frame = $0 { true } else { false } }
    shutdown(peer.process.descriptor, CInt(SHUT_RDWR))
    #expect(peer.process.wait() == .exited(status: 0))
  }

  @Test func `one that falls behind steps down and then up, at cuts, and says so`() throws {
    var job = smallJob()
    job.preset = "veryfast"
    job.patience = MediaTime(milliseconds: 1)
    job.recoverySeconds = 0
    let peer = try LadderPeer(job)
    // Ten pictures in a millisecond: nothing keeps up with that.
    var index: Int64 = 0
    let source = try source(240).compactMap { command -> LadderCommand? in
      guard case .frame(var frame, _) = command else { return command }
      guard frame.track == .video else { return nil }
      frame.pts = MediaTime(ticks: index * 9)
      frame.dts = frame.pts
      defer { index += 1 }
      return .frame(frame, isCut: index % 20 == 0)
    }
    peer.send(source)
    try peer.run { if case .report(let report) = $0 { report.step == 3 } else { false } }
    #expect(peer.reports.last?.activeRungs == 2)
    #expect(peer.reports.map(\.step).starts(with: [1, 2, 3]) || peer.reports.first?.step == 0)
    // One picture at a time leaves no lag; each cut is a step up.
    guard let first = source.firstIndex(where: { if case .frame = $0 { true } else { false } })
    else { return }
    var time = try #require(pictureTimes(source).last)
    for step in [2, 1, 0] {
      time += MediaTime(milliseconds: 1_000)
      peer.send(shifted([source[first]], by: time))
      try peer.run { if case .report(let report) = $0 { report.step == step } else { false } }
    }
    #expect(peer.reports.last?.step == 0)
    #expect(peer.reports.last?.activeRungs == 3)
  }
}
