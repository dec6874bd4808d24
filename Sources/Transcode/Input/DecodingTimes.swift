import Media

/// Gives pictures the decoding times that their file doesn't have; presentation times stay.
///
/// Matroska stores presentation times only. libavformat makes the others from them, but has none
/// for as many pictures at the start as the codec reorders: those are kept back here until one
/// comes that has its time, and are counted backwards from it.
struct DecodingTimes {
  /// Pictures kept back at most: H.264 and H.265 reorder 16, and this shows how many it was.
  private static let limit = 48
  /// Packets kept back at most, sound too: a picture may stand still for hours.
  private static let packetLimit = 1_000

  /// In the file's order, sound between pictures.
  private var held: [InputPacket] = []
  private var ready: [InputPacket] = []
  private var first = 0
  private var heldPictures = 0
  private var last: [Track: Int64] = [:]

  /// Takes the next packet of the file.
  ///
  /// - Parameters:
  ///   - packet: whose own times are replaced.
  ///   - pts: when it is shown, in 1/90000 s; nil if the file doesn't say.
  ///   - dts: when it is decoded; nil if the file doesn't say.
  mutating func push(_ packet: InputPacket, pts: Int64?, dts: Int64?) {
    var packet = packet
    if packet.track == .video, last[.video] == nil {
      if dts == nil, pts != nil || heldPictures > 0 {
        packet.pts = pts ?? held.last { $0.track == .video }.map { $0.pts + $0.duration } ?? 0
        held.append(packet)
        heldPictures += 1
        if heldPictures == Self.limit { settle(before: nil) }
        return
      }
      settle(before: dts)
    }
    (packet.pts, packet.dts) = times(packet, pts, dts)
    guard heldPictures > 0 else { return ready.append(packet) }
    held.append(packet)
    if held.count >= Self.packetLimit { settle(before: nil) }
  }

  /// Gives up waiting: the file is over.
  mutating func finish() { settle(before: nil) }

  /// The next packet, in the file's order; nil where another has to be pushed first.
  mutating func pop() -> InputPacket? {
    guard first < ready.count else {
      ready.removeAll(keepingCapacity: true)
      first = 0
      return nil
    }
    defer { first += 1 }
    return ready[first]
  }

  private mutating func times(
    _ packet: InputPacket, _ pts: Int64?, _ dts: Int64?
  ) -> (pts: Int64, dts: Int64) {
    let before = last[packet.track]
    var time = dts ?? before.map { min($0 + packet.duration, pts ?? .max) } ?? pts ?? 0
    // Sound isn't reordered.
    if packet.track == .audio, dts == nil, let pts { time = pts }
    if let before { time = max(time, before) }
    last[packet.track] = time
    // No picture can be shown before it is decoded; only a broken file says so.
    return (max(pts ?? time, time), time)
  }

  /// Lets the pictures kept back go.
  ///
  /// - Parameter next: the decoding time of the picture after them, if there is one.
  private mutating func settle(before next: Int64?) {
    guard heldPictures > 0 else { return }
    let pictures = held.indices.filter { held[$0].track == .video }
    if var next {
      for index in pictures.reversed() {
        next = min(next - held[index].duration, held[index].pts)
        held[index].dts = next
      }
    } else {
      // Decoded at the times at which others are shown, and all so much earlier that each is in
      // time.
      let shown = pictures.map { held[$0].pts }.sorted()
      let delay = zip(shown, pictures).map { $0 - held[$1].pts }.max() ?? 0
      for (time, index) in zip(shown, pictures) { held[index].dts = time - delay }
    }
    last[.video] = pictures.last.map { held[$0].dts }
    ready += held
    held = []
    heldPictures = 0
  }
}
