package import Media

/// Puts together what a ladder's encoders give: for each rung a segment in the place of each of the
/// source's, in order, and none ever missing.
///
/// Rungs are numbered from the largest picture to the smallest. A segment that an encoder does not
/// give in time comes from the next smaller rung that has it, else from the next larger one, else
/// it is the source's own: a moment of another quality is better than a picture that stops. So it
/// is with a rung that nobody watches, and of which encoders give nothing.
///
/// Confined to the stream's owner, and without a clock: time is the source's.
package struct LadderAssembly {
  /// A rung's next segment.
  package struct Output {
    package var rung: Int
    package var segment: Segment
    package var origin: Origin
  }

  /// Where a segment's pictures come from.
  package enum Origin: Equatable, Sendable {
    case own
    case rung(Int)
    case source
  }

  private struct Line {
    var packager = RungPackager()
    /// Whether the stream has this rung.
    var isActive = false
    /// The number of the segment to make next.
    var next = 0
    /// Its own parts, by number, for rungs that have none.
    var made: [Int: RungPackager.Part] = [:]
  }

  /// How many of the source's segments may be finished after one that is still waited for.
  private let patience: Int
  private var lines: [Line]
  /// Oldest first, numbered without a gap.
  package private(set) var parts: [LadderPart] = []
  private var wasInterrupted = false
  /// Nothing more comes of the parts that there are.
  private var isGivenUp = false
  /// Sound that hasn't come half a second after its pictures is not waited for.
  private static let silence = MediaTime(milliseconds: 500)
  /// When the source's latest picture is shown.
  private var latestPicture = MediaTime.zero

  /// Makes one without parts, and without a rung that is active.
  ///
  /// - Parameters:
  ///   - rungs: how many there may be.
  ///   - patience: in segments.
  package init(rungs: Int, patience: Int) {
    lines = Array(repeating: Line(), count: rungs)
    self.patience = max(1, patience)
  }

  /// The rungs that the stream has.
  package var active: [Int] { lines.indices.filter { lines[$0].isActive } }

  /// The stream has these rungs from the part on that began last; it keeps those it had.
  ///
  /// - Returns: those that are new.
  @discardableResult
  package mutating func activate(_ rungs: [Int]) -> [Int] {
    let fresh = rungs.filter { lines.indices.contains($0) && !lines[$0].isActive }
    for index in fresh {
      lines[index].isActive = true
      lines[index].next = parts.last?.sequence ?? 0
    }
    return fresh
  }

  // MARK: The source

  /// The source's next segment begins.
  ///
  /// - Parameters:
  ///   - start: its number follows the last one's; after a hole nothing before it is made.
  ///   - wanted: the rungs that are encoded of it: bit n is rung n.
  /// - Returns: whether encoders are to begin anew with it, after a drain.
  @discardableResult
  package mutating func begin(_ start: SegmentStart, wanted: UInt32 = .max) -> Bool {
    if let last = parts.last, start.sequence != last.sequence + 1 { parts.removeAll() }
    isGivenUp = false
    if parts.isEmpty {
      for index in lines.indices { lines[index].next = start.sequence }
    }
    let beginsAnew =
      wasInterrupted || parts.last.map { !$0.start.hasTracks(of: start) } ?? false
    wasInterrupted = false
    parts.append(LadderPart(start, beginsAnew: beginsAnew, wanted: wanted))
    return beginsAnew
  }

  /// A frame stands in the segment that has begun.
  ///
  /// - Returns: whether encoders are to cut before it.
  @discardableResult
  package mutating func append(_ frame: Frame) -> Bool {
    guard !parts.isEmpty else { return false }
    let isCut = parts[parts.count - 1].isCut(frame)
    parts[parts.count - 1].append(frame)
    if frame.track == .video { latestPicture = max(latestPicture, frame.pts) }
    return isCut
  }

  /// The source's segment is finished.
  package mutating func finish(_ source: Segment) {
    guard let index = parts.firstIndex(where: { $0.sequence == source.sequence }) else { return }
    parts[index].source = source
  }

  /// The publisher has gone: encoders are to be drained, and begin anew with the next one.
  package mutating func interrupt() { wasInterrupted = true }

  /// What encoders still owe of the parts that are finished is not waited for.
  package mutating func giveUp() { isGivenUp = true }

  // MARK: Encoders

  package mutating func configure(_ rung: Int, _ configuration: TrackConfiguration) {
    guard lines.indices.contains(rung) else { return }
    lines[rung].packager.configure(configuration)
  }

  /// Takes an encoder's frame; one for a rung that the stream hasn't got, such as a sound that it
  /// would share with others, is let go.
  package mutating func append(_ rung: Int, _ frame: Frame) {
    guard lines.indices.contains(rung), lines[rung].isActive else { return }
    lines[rung].packager.append(frame)
  }

  /// Encoders hold nothing any more of what came before a part.
  package mutating func drained(before sequence: Int) {
    for index in parts.indices where parts[index].sequence < sequence {
      parts[index].isDrained = true
    }
  }

  /// Encoders are gone: others are to be given `parts` from the first one on.
  package mutating func restart() {
    for index in parts.indices { parts[index].isDrained = false }
    for index in lines.indices {
      let next = parts.first { $0.sequence >= lines[index].next && $0.from != nil }
      lines[index].packager.restart(from: next?.from)
    }
  }

  /// What `parts` and the encoders' frames cost, in bytes.
  package var keptBytes: Int {
    parts.reduce(0) { $0 + $1.bytes } + lines.reduce(0) { $0 + $1.packager.waitingBytes }
  }

  /// What a rung's variant says; nil before its encoder has said how it encodes.
  package func variant(_ rung: Int, bitrate: Int, frameRate: Double?) -> VariantInfo? {
    lines[rung].packager.variant(bitrate: bitrate, frameRate: frameRate)
  }

  /// Whether a rung has had a segment of its own, so that its variant says what was measured.
  package func isMeasured(_ rung: Int) -> Bool { statistics(rung).segments > 0 }

  /// What was counted of a rung's own segments.
  func statistics(_ rung: Int) -> PackagerStatistics { lines[rung].packager.statistics }

  // MARK: Segments

  /// Takes the next segment that is complete; nil where none is.
  package mutating func next() -> Output? {
    // The smallest first, as others may need theirs.
    for rung in lines.indices.reversed() where lines[rung].isActive {
      if let output = next(rung) { return output }
    }
    return nil
  }

  private mutating func next(_ rung: Int) -> Output? {
    let number = lines[rung].next
    guard let place = parts.firstIndex(where: { $0.sequence == number }),
      let source = parts[place].source
    else { return nil }
    let end = parts[(place + 1)...].lazy.compactMap(\.from).first
    var part: RungPackager.Part?
    var origin = Origin.own
    let isMade = isMade(rung, place)
    if isMade, isComplete(rung, place, end) {
      // What a drain has brought out is all the part's, also pictures that are shown a little late.
      let isLast = place + 1 == parts.count || !parts[place + 1].isDrained
      let takesAll = parts[place].isDrained && isLast
      part = lines[rung].packager.takePart(until: takesAll ? nil : end)
      lines[rung].made[number] = part
    } else {
      let newest = parts.last { $0.source != nil }?.sequence ?? number
      // What stands in for a rung that is not encoded comes from one that is.
      let isAwaited = isMade || lines.indices.contains { isOwed($0, place) }
      guard
        !isAwaited || parts[place].start.video == nil || isGivenUp || newest - number >= patience
      else { return nil }
      _ = lines[rung].packager.takePart(until: end ?? source.startTime + source.duration)
    }
    if part == nil, let other = substitute(for: rung, number) {
      part = lines[other].made[number]
      origin = .rung(other)
    } else if part == nil {
      part = parts[place].part
      origin = .source
    }
    lines[rung].next = number + 1
    let segment = lines[rung].packager.write(
      part ?? parts[place].part, like: source, isOwn: origin == .own)
    forget()
    return Output(rung: rung, segment: segment, origin: origin)
  }

  /// Whether encoders give all of a part for a rung: those that stop with the next one don't say
  /// when its last picture has come.
  private func isMade(_ rung: Int, _ place: Int) -> Bool {
    func wants(_ part: LadderPart) -> Bool { part.wanted >> UInt32(rung) & 1 == 1 }
    return wants(parts[place]) && (place + 1 == parts.count || wants(parts[place + 1]))
  }

  /// Whether a rung's own segment of a part is still to come.
  private func isOwed(_ rung: Int, _ place: Int) -> Bool {
    lines[rung].isActive && lines[rung].next <= parts[place].sequence && isMade(rung, place)
  }

  private func isComplete(_ rung: Int, _ place: Int, _ end: MediaTime?) -> Bool {
    if parts[place].isDrained { return true }
    guard let end, lines[rung].packager.hasPictures(parts[place].pictures, until: end)
    else { return false }
    if parts[place].start.audio == nil || lines[rung].packager.hasSounds(until: end) { return true }
    let heard = parts[place...].lazy.compactMap(\.lastSound).max()
    return heard.map { $0 < end } ?? true && latestPicture > end + Self.silence
  }

  /// Another rung that has made a part: the next smaller one, else the next larger one.
  private func substitute(for rung: Int, _ number: Int) -> Int? {
    lines.indices.first { $0 > rung && lines[$0].made[number] != nil }
      ?? lines.indices.last { $0 < rung && lines[$0].made[number] != nil }
  }

  /// Lets go of what every rung has.
  private mutating func forget() {
    let oldest = lines.lazy.filter(\.isActive).map(\.next).min() ?? 0
    guard let first = parts.first, first.sequence < oldest else { return }
    parts.removeAll { $0.sequence < oldest }
    for index in lines.indices {
      lines[index].made = lines[index].made.filter { $0.key >= oldest }
    }
  }
}

extension SegmentStart {
  /// Whether frames are coded as in another segment.
  fileprivate func hasTracks(of other: SegmentStart) -> Bool {
    video == other.video && audio == other.audio
  }
}
