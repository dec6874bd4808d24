import Ingest
import RTMP

/// The messages of one stream that its origin hasn't been given, or may have to be given again.
///
/// They stand in groups that decoding can start from. A value without a clock or a socket. All of a
/// message is shared with whoever else has it, so keeping it costs its place in a list.
struct ReplayBuffer {
  private struct Group {
    /// The number of its first message.
    var first: Int
    let timestamp: UInt32
    /// Which of the publisher's clocks that is by: one that goes back is another one.
    let clock: Int
    /// When its first message came, in milliseconds since 1970.
    let date: Int64
    /// What goes ahead of its first message where the one before it isn't sent.
    let opening: [Message]
    /// Whether its first messages are still there.
    var isWhole = true
    /// What the origin that has the stream now was written before its first message, in bytes.
    var writtenBefore: UInt64?
  }

  /// How long a group is where there is no picture to begin another with, in milliseconds.
  private static let soundGroupMilliseconds: Int32 = 1_000
  /// How many messages before a keyframe may hold sound that belongs behind it.
  private static let interleaved = 64
  /// What is kept while nobody says how far is announced: at least two groups, and the last one.
  private static let fewestGroups = 3

  /// What may be kept, in bytes.
  var limitBytes: Int
  private let spanMilliseconds: Int32
  private var messages: [Message] = []
  private var groups: [Group] = []
  private var headers = StreamHeaders()
  /// The number of the first message that is still there.
  private var first = 0
  /// The number of the message that is to be sent next.
  private var next = 0
  /// The first message that has never been sent.
  private var fresh = 0
  private var newest: UInt32 = 0
  /// The time up to which an origin has announced the stream.
  private var announced: UInt32?
  /// Which date an origin has given a time of the publisher's newest clock.
  private var listed: StreamDate?
  private var clock = 0
  /// How much of what was written to that origin it has read, in bytes: what is only on its way to
  /// it is not to be let go of because of its age.
  var readBytes: UInt64 = 0
  /// Whether what is sent next follows nothing.
  private var isOpening = true
  /// Whether nothing can be sent before the next group begins.
  private var isSkipping = false
  /// What all messages hold, in bytes.
  private(set) var keptBytes = 0
  /// What those hold that are to be sent, in bytes.
  private(set) var waitingBytes = 0
  /// How many messages were sent again.
  private(set) var replayed = 0
  /// How many messages were never sent, and can't be any more.
  private(set) var lost = 0

  init(limitBytes: Int, spanMilliseconds: Int) {
    self.limitBytes = limitBytes
    self.spanMilliseconds = Int32(clamping: spanMilliseconds)
  }

  /// Whether nothing is to be sent.
  var isDrained: Bool { next == end }

  /// Whether no more should come until something has been let go.
  var isFull: Bool { keptBytes >= limitBytes }

  private var end: Int { first + messages.count }

  private func group(at number: Int) -> Group? { groups.last { $0.first == number } }

  // MARK: Coming

  /// Takes the next message of the publisher.
  ///
  /// - Parameters:
  ///   - kind: of what it is.
  ///   - message: shared.
  ///   - now: in milliseconds since 1970; asked for once a group.
  mutating func append(
    _ kind: PublishSink.Kind, _ message: Message, at now: @autoclosure () -> Int64
  ) {
    let role = MessageRole(kind, message.payload)
    if begins(role, message) { begin(at: message.timestamp, now()) }
    headers.note(role, message)
    if kind != .data { newest = message.timestamp }
    messages.append(message)
    keptBytes += message.keptBytes
    waitingBytes += message.keptBytes
  }

  private func begins(_ role: MessageRole, _ message: Message) -> Bool {
    guard let last = groups.last else { return true }
    switch role {
    case .keyframe: return true
    case .audio where !headers.hasVideo:
      let length = Int32(bitPattern: message.timestamp &- last.timestamp)
      return length >= Self.soundGroupMilliseconds || length < 0
    default: return false
    }
  }

  private mutating func begin(at timestamp: UInt32, _ date: Int64) {
    if let last = groups.last, timestamp.isBefore(last.timestamp) {
      // Another clock: what was said on the old one says nothing now.
      announced = nil
      listed = nil
      clock += 1
    }
    var opening = groups.isEmpty ? [] : headers.opening(at: timestamp)
    if headers.hasVideo {
      // Sound that came ahead of the picture whose time it has.
      for message in messages.suffix(Self.interleaved)
      where message.type == .audio && !message.timestamp.isBefore(timestamp) {
        if MessageRole(.audio, message.payload) == .audio { opening.append(message) }
      }
    }
    groups.append(
      Group(first: end, timestamp: timestamp, clock: clock, date: date, opening: opening))
  }

  // MARK: Going

  /// Hands out the next message to be sent, what has to go ahead of it first.
  ///
  /// - Parameters:
  ///   - written: what the origin was written before, in bytes.
  ///   - send: given the messages.
  /// - Returns: false: there is none.
  mutating func take(after written: UInt64, _ send: (Message) -> Void) -> Bool {
    if isSkipping { skip() }
    guard next < end else { return false }
    if let place = groups.lastIndex(where: { $0.first <= next }), groups[place].first == next {
      groups[place].writtenBefore = written
    }
    if isOpening {
      for message in group(at: next)?.opening ?? [] { send(message) }
      isOpening = false
    }
    let message = messages[next - first]
    send(message)
    waitingBytes -= message.keptBytes
    if next < fresh { replayed += 1 }
    next += 1
    fresh = max(fresh, next)
    return true
  }

  /// Begins again with the oldest group, for another origin.
  mutating func rewind() {
    isOpening = true
    readBytes = 0
    for place in groups.indices { groups[place].writtenBefore = nil }
    if let announced, newest.isBefore(announced) {
      // Viewers have all of it.
      for message in messages[(next - first)...] { waitingBytes -= message.keptBytes }
      next = end
      fresh = max(fresh, next)
      isSkipping = true
      return
    }
    guard let start = groups.first(where: \.isWhole) else {
      isSkipping = !groups.isEmpty
      return
    }
    isSkipping = false
    if start.first > next { lost += start.first - max(next, fresh) }
    next = start.first
    fresh = max(fresh, next)
    waitingBytes = messages[(next - first)...].reduce(0) { $0 + $1.keptBytes }
  }

  /// Passes over what can't be decoded without the messages before it.
  private mutating func skip() {
    let start = groups.first { $0.isWhole && $0.first >= next }
    let target = start?.first ?? end
    lost += max(0, target - max(next, fresh))
    for message in messages[(next - first)..<(target - first)] {
      waitingBytes -= message.keptBytes
    }
    next = target
    fresh = max(fresh, next)
    isSkipping = start == nil
  }

  // MARK: Letting go

  /// How far an announced end may be ahead of all that came, in milliseconds: a last picture is
  /// long.
  private static let aheadMilliseconds: UInt32 = 2_000

  private func isAnotherClock(_ time: UInt32) -> Bool {
    (newest &+ Self.aheadMilliseconds).isBefore(time)
  }

  /// An origin has given a time of the publisher's clock this date.
  mutating func note(_ date: StreamDate) {
    if !isAnotherClock(date.time) { listed = date }
  }

  /// Which date a time of the publisher's clock has, for an origin that is sent something again: as
  /// it was listed; before that, when the first that it is sent came here.
  var date: StreamDate? {
    // Without one it is sent what has yet to come.
    guard let start = groups.first(where: \.isWhole) else { return listed }
    if let listed, start.clock == clock { return listed }
    return StreamDate(time: start.timestamp, date: start.date)
  }

  /// An origin has announced the stream up to this time; one that is far ahead is another clock's.
  mutating func announce(_ time: UInt32) {
    if let announced, time.isBefore(announced) { return }
    if isAnotherClock(time) { return }
    announced = time
    trim()
  }

  /// Lets go of what no origin will need, and of the oldest where there is too much.
  ///
  /// Nothing goes that is still to be sent.
  mutating func trim() {
    while groups.count > 1, isDispensable(before: groups[1]) { letGo(upTo: groups[1].first) }
    guard groups.count == 1, keptBytes > roomyBytes, next > first else { return }
    groups[0].isWhole = false
    letGo(upTo: next)
  }

  /// What may be kept of what was sent, so that there is room for what comes.
  private var roomyBytes: Int { limitBytes - limitBytes / 8 }

  private func isDispensable(before group: Group) -> Bool {
    if let announced, !announced.isBefore(group.timestamp), group.first <= fresh { return true }
    guard group.first <= next else { return false }
    if keptBytes > roomyBytes { return true }
    guard let written = group.writtenBefore, written <= readBytes else { return false }
    return announced == nil && groups.count > Self.fewestGroups
      && Int32(bitPattern: newest &- group.timestamp) >= spanMilliseconds
  }

  private mutating func letGo(upTo number: Int) {
    for index in 0..<(number - first) {
      let bytes = messages[index].keptBytes
      keptBytes -= bytes
      if first + index >= next { waitingBytes -= bytes }
    }
    messages.removeFirst(number - first)
    first = number
    next = max(next, number)
    if groups.count > 1, groups[1].first <= number {
      groups.removeFirst()
    } else {
      groups[0].first = number
    }
  }
}

extension UInt32 {
  /// Whether this time lies before another one on a clock that wraps.
  func isBefore(_ other: UInt32) -> Bool { Int32(bitPattern: self &- other) < 0 }
}
