import CLinux
import Glibc
import Synchronization
import Testing

@testable import Cache

extension FillBody {
  /// Adds a piece, and says so.
  fileprivate func add(_ piece: [UInt8]) -> Pace {
    defer { wakeReaders() }
    return append(piece.span)
  }
}

/// Reads until nothing more is there; nil where the body failed.
private func read(_ reader: FillReader?) -> (bytes: [UInt8]?, isOver: Bool) {
  guard let reader else { return (nil, true) }
  var bytes: [UInt8] = []
  while true {
    switch reader.read(wake: {}) {
    case .bytes(let piece, let range): bytes += piece[range]
    case .pending: return (bytes, false)
    case .end: return (bytes, true)
    case .failed: return (nil, true)
    }
  }
}

@Suite struct `A body on its way in` {
  @Test(arguments: [nil, 3]) func `readers get what is there, whenever they come`(length: Int?) {
    let body = FillBody(length: length)
    let early = body.join()
    #expect(read(early) == ([], false))
    #expect(body.add([1, 2]) == .goOn)
    #expect(read(early) == ([1, 2], false))
    #expect(body.add([3]) == .goOn)
    body.complete()
    #expect(read(early) == ([3], true))
    #expect(read(body.join()) == ([1, 2, 3], true))
    #expect(body.whole() == [1, 2, 3])
  }

  @Test(arguments: [nil, 2]) func `a body that breaks off is never taken for a whole one`(
    length: Int?
  ) {
    let body = FillBody(length: length)
    _ = body.add([1])
    let reader = body.join()
    #expect(read(reader) == ([1], false))
    body.fail("connection closed")
    body.complete()
    _ = body.add([2])
    #expect(read(reader).bytes == nil)
    #expect(body.progress.end == .failed("connection closed"))
    #expect(body.whole() == nil)
  }

  @Test(arguments: [[1], [1, 2, 3, 4]] as [[UInt8]])
  func `a body that is shorter or longer than it said has failed`(bytes: [UInt8]) {
    let body = FillBody(length: 3)
    let reader = body.join()
    for byte in bytes { _ = body.add([byte]) }
    body.complete()
    var got: [UInt8] = []
    while case .bytes(let piece, let range)? = reader?.read(wake: {}) { got += piece[range] }
    #expect(got == Array(bytes.prefix(3)))
    #expect(read(reader).bytes == nil)
    #expect(body.whole() == nil)
    #expect(body.progress.end != .complete)
    // One piece that is too long adds nothing of itself.
    let other = FillBody(length: 3)
    _ = other.add([1, 2, 3, 4])
    #expect(other.progress.bytes == 0)
  }

  @Test func `each reader that waits is called once`() {
    let body = FillBody()
    let calls = Calls()
    var readers = (0..<3).compactMap { _ in body.join() }
    for reader in readers {
      // Asking twice is waiting once.
      for _ in 0..<2 { _ = reader.read { calls.note() } }
    }
    readers.removeLast()
    _ = body.add([1])
    #expect(calls.count == 2)
    _ = body.add([2])
    #expect(calls.count == 2)
    body.complete()
    #expect(calls.count == 2)
  }

  @Test(arguments: [nil, 4]) func `who waits is told once of several pieces`(length: Int?) {
    let body = FillBody(length: length)
    let calls = Calls()
    let reader = body.join()
    _ = reader?.read { calls.note() }
    for piece in [[1], [2, 3]] as [[UInt8]] { _ = body.append(piece.span) }
    #expect(calls.count == 0)
    // Who comes meanwhile finds them.
    #expect(read(body.join()) == ([1, 2, 3], false))
    body.wakeReaders()
    #expect(calls.count == 1)
    #expect(read(reader) == ([1, 2, 3], false))
    _ = reader?.read { calls.note() }
    // No end waits to be told.
    _ = body.append([4].span)
    body.complete()
    #expect(calls.count == 2)
  }

  @Test func `a reader that has gone is not told`() {
    let body = FillBody()
    let calls = Calls()
    _ = body.join()?.read { calls.note() }
    _ = body.add([1])
    #expect(calls.count == 0)
  }

  @Test(arguments: [1_000, 128 << 10, 500_000])
  func `a long body is what was written, whatever memory was laid for it`(most: Int) {
    let whole = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let body = FillBody(length: whole.count)
    for start in stride(from: 0, to: whole.count, by: most) {
      _ = body.append(whole.span.extracting(start..<min(start + most, whole.count)))
    }
    body.complete()
    #expect(body.whole() == whole)
  }

  @Test func `memory is laid where it is asked for, and nowhere else`() throws {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let pages = 8
    let memory = unsafe try #require(
      mmap(nil, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { unsafe munmap(memory, pages * page) }
    var isThere = [UInt8](repeating: 0, count: pages)
    // From the middle of the third page to the middle of the sixth.
    unsafe wl_lay_memory(memory + 2 * page + page / 2, UInt(3 * page))
    #expect(unsafe mincore(memory, pages * page, &isThere) == 0)
    #expect(isThere.map { $0 & 1 } == [0, 0, 1, 1, 1, 1, 0, 0])
  }

  @Test func `the slowest reader of a passing body holds the writer up`() {
    let body = FillBody(.passing(mostUnread: 10))
    let goOns = Calls()
    let stops = Calls()
    body.onAdvice { $0 == .goOn ? goOns.note() : stops.note() }
    let fast = body.join()
    var slow = body.join()
    #expect(body.add(Array(repeating: 1, count: 8)) == .goOn)
    #expect(read(fast).bytes?.count == 8)
    #expect(body.add(Array(repeating: 2, count: 8)) == .wait)
    #expect(read(fast).bytes?.count == 8)
    #expect(goOns.count == 0)
    #expect(read(slow).bytes?.count == 16)
    #expect(goOns.count == 1)
    // What all have read is gone, for everybody.
    #expect(body.join() == nil)
    #expect(body.add(Array(repeating: 3, count: 11)) == .wait)
    #expect(read(fast).bytes?.count == 11)
    slow = nil
    #expect(goOns.count == 2)
    #expect(stops.count == 0)
    body.complete()
    #expect(read(fast) == ([], true))
    #expect(body.whole() == nil)
    _ = slow
  }

  @Test func `a passing body that nobody reads is stopped`() {
    let stops = Calls()
    for keeping in [FillBody.Keeping.kept, .passing(mostUnread: 1)] {
      let body = FillBody(keeping)
      body.onAdvice { if $0 == .stop { stops.note() } }
      var reader = body.join()
      _ = body.add([1, 2])
      _ = reader?.read {}
      reader = nil
      _ = reader
    }
    #expect(stops.count == 1)
  }

  @Test func `a body that becomes too long when all have left is stopped`() {
    let stops = Calls()
    for isRead in [true, false] {
      let body = FillBody()
      body.onAdvice { if $0 == .stop { stops.note() } }
      var reader = body.join()
      _ = body.add([1, 2])
      if !isRead { reader = nil }
      body.stopKeeping(mostUnread: 4)
      #expect(stops.count == (isRead ? 0 : 2))
      withExtendedLifetime(reader) {}
    }
    // Who asked for it may not have come yet.
    let body = FillBody()
    body.onAdvice { if $0 == .stop { stops.note() } }
    body.stopKeeping(mostUnread: 4)
    #expect(stops.count == 2)
  }

  @Test(arguments: [nil, 8]) func `only what nobody wants is given up`(length: Int?) {
    let start = ContinuousClock.now
    let rule = UnreadPace.Rule(rate: 100, over: .seconds(10))
    func isGivenUp(_ body: FillBody, _ second: Int) -> Bool {
      body.abandonIfSlow("slow", at: start + .seconds(second))
    }
    let body = FillBody(length: length, pace: rule)
    _ = body.add([1, 2])
    var reader = body.join()
    #expect(!isGivenUp(body, 0))
    #expect(!isGivenUp(body, 100))
    reader = nil
    _ = reader
    // The time begins when the last one has left.
    #expect(!isGivenUp(body, 200))
    #expect(!isGivenUp(body, 209))
    #expect(isGivenUp(body, 210))
    #expect(body.progress.end == .failed("slow"))
    #expect(!isGivenUp(body, 300))
    let waited = FillBody(length: length, pace: rule)
    waited.whenEnded {}
    let whole = FillBody(pace: rule)
    whole.complete()
    let leisurely = FillBody(length: length)
    for each in [waited, whole, leisurely] {
      for second in [0, 100, 200] { #expect(!isGivenUp(each, second)) }
    }
  }

  @Test func `nobody comes to what is given up`() {
    // None of it has been let go.
    let left = FillBody(.passing(mostUnread: 4))
    _ = left.add([1])
    #expect(left.isAllThere)
    _ = left.join()
    let long = FillBody()
    _ = long.add([1])
    _ = long.join()
    #expect(long.join() != nil)
    long.stopKeeping(mostUnread: 4)
    let start = ContinuousClock.now
    let slow = FillBody(length: 8, pace: UnreadPace.Rule(rate: 100, over: .seconds(10)))
    _ = slow.add([1])
    for second in [0, 10] { _ = slow.abandonIfSlow("slow", at: start + .seconds(second)) }
    for body in [left, long, slow] {
      #expect(!body.isAllThere)
      #expect(body.join() == nil)
    }
    // One that broke off has what has come of it.
    let broken = FillBody()
    _ = broken.add([1])
    broken.fail("connection closed")
    #expect(broken.join() != nil)
  }

  @Test func `bodies take no more than there is, and give it back when nobody reads them`() {
    let memory = FillMemory(limit: 100)
    var first: FillBody? = FillBody(length: 60, share: memory.share(60))
    #expect(memory.share(41) == nil)
    #expect(memory.refused == 1)
    #expect(memory.bytes == 60)
    let forced = memory.share(70, isForced: true)
    #expect(memory.bytes == 130)
    var reader = first?.join()
    first = nil
    _ = first
    #expect(memory.share(1) == nil)
    reader = nil
    _ = reader
    #expect(memory.bytes == 70)
    // One whose length isn't known.
    let growing = FillBody(share: memory.share(0))
    #expect(growing.mayGrow(to: 20, isForced: false))
    #expect(growing.mayGrow(to: 30, isForced: false))
    #expect(!growing.mayGrow(to: 31, isForced: false))
    #expect(memory.bytes == 100)
    #expect(growing.mayGrow(to: 40, isForced: true))
    #expect(memory.bytes == 110)
    withExtendedLifetime(forced) {}
  }

  @Test func `what nobody reads has to come fast enough all the time`() {
    let start = ContinuousClock.now
    var pace = UnreadPace(UnreadPace.Rule(rate: 100, over: .seconds(10)))
    func isTooSlow(_ bytes: Int?, _ second: Int) -> Bool {
      pace.isTooSlow(bytes, at: start + .seconds(second))
    }
    #expect(!isTooSlow(0, 0))
    #expect(!isTooSlow(1, 9))
    #expect(!isTooSlow(1_000, 10))
    #expect(!isTooSlow(1_001, 19))
    // Somebody reads it for a while.
    #expect(!isTooSlow(nil, 20))
    #expect(!isTooSlow(1_002, 21))
    #expect(!isTooSlow(1_003, 30))
    #expect(isTooSlow(2_001, 31))
    pace = UnreadPace(UnreadPace.Rule(rate: 0, over: .seconds(10)))
    #expect(!isTooSlow(0, 0))
    #expect(!isTooSlow(0, 1_000))
  }

  @Test func `a body that becomes too long only passes from then on`() {
    let body = FillBody()
    let reader = body.join()
    _ = body.add([1])
    _ = body.add([2])
    #expect(read(reader) == ([1, 2], false))
    body.stopKeeping(mostUnread: 4)
    #expect(body.join() == nil)
    #expect(body.add([3, 4, 5, 6, 7]) == .wait)
    body.complete()
    #expect(read(reader) == ([3, 4, 5, 6, 7], true))
    #expect(body.whole() == nil)
  }

  @Test(arguments: [false, true]) func `many threads read what one writes`(
    isLengthKnown: Bool
  ) async {
    let pieces = (0..<500).map { number in [UInt8](repeating: UInt8(number % 251), count: number) }
    let body = FillBody(length: isLengthKnown ? pieces.reduce(0) { $0 + $1.count } : nil)
    await withTaskGroup(of: [UInt8]?.self) { group in
      for _ in 0..<8 {
        group.addTask {
          guard let reader = body.join() else { return nil }
          var bytes: [UInt8] = []
          while true {
            let (stream, more) = AsyncStream<Void>.makeStream()
            switch reader.read(wake: { more.finish() }) {
            case .bytes(let piece, let range): bytes += piece[range]
            case .pending: for await _ in stream {}
            case .end: return bytes
            case .failed: return nil
            }
          }
        }
      }
      for piece in pieces { _ = body.add(piece) }
      body.complete()
      let whole = pieces.flatMap { $0 }
      for await read in group { #expect(read == whole) }
    }
  }
}

@Suite struct `One flight for each object` {
  private let key = CacheKey(low: 1, high: 2)

  @Test func `one leads and all get what comes of it`() {
    let table = FlightTable<Int>(mostWaiters: 100)
    #expect(table.join(key, -1) == .lead)
    let places = [Calls(), Calls()]
    for number in 0..<100 {
      let place = number < 90 ? ObjectIdentifier(places[number % 2]) : nil
      #expect(table.join(key, number, at: place) == .wait)
    }
    #expect(table.join(key, 100) == .full)
    #expect(table.count == 1)
    let told = table.land(key)
    #expect(
      told == [
        Array(stride(from: 0, to: 90, by: 2)), Array(stride(from: 1, to: 90, by: 2)),
        Array(90..<100),
      ])
    #expect(table.count == 0)
    #expect(table.land(key).isEmpty)
    #expect(table.join(key, -1) == .lead)
  }

  @Test func `of those who ask at once, just one leads`() async {
    let table = FlightTable<Int>()
    let leaders = Calls()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<200 {
        let key = key
        group.addTask { if table.join(key, 1) == .lead { leaders.note() } }
      }
    }
    #expect(leaders.count == 1)
    #expect(table.land(key).map(\.count) == [199])
  }
}
