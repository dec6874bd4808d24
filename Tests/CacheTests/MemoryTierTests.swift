import Testing

@testable import Cache

private let hash = SipHash(k0: 1, k1: 2)

private func key(_ name: String) -> CacheKey { hash.hash(Array(name.utf8).span) }

@Suite struct `Memory tier` {
  @Test func `what was stored is found`() {
    let tier = MemoryTier<String>(bytes: 1_000, count: 10)
    tier.insert(key("a"), "A", bytes: 10)
    #expect(tier.value(key("a")) == "A")
    #expect(tier.value(key("b")) == nil)
    tier.insert(key("a"), "B", bytes: 20)
    #expect(tier.peek(key("a")) == "B")
    #expect(tier.usage == MemoryUsage(count: 1, bytes: 20, evictions: 0))
    #expect(tier.remove(key("a")) == "B")
    #expect(tier.usage == MemoryUsage())
  }

  @Test func `it never holds more than it may`() {
    var random = SystemRandomNumberGenerator()
    let tier = MemoryTier<Int>(bytes: 10_000, count: 40)
    var dropped = 0
    for number in 0..<5_000 {
      let name = "object \(Int.random(in: 0..<200, using: &random))"
      if number % 3 == 0 { tier.remove(key(name)) }
      _ = tier.value(key(name))
      dropped += tier.insert(key(name), number, bytes: .random(in: 1...900, using: &random)).count
      let usage = tier.usage
      #expect(usage.bytes <= 10_000)
      #expect(usage.count <= 40)
      #expect(usage.evictions == dropped)
    }
    #expect(tier.changeAll { _, _ in .remove } > 0)
    #expect(tier.usage.bytes == 0)
    #expect(tier.usage.count == 0)
  }

  @Test func `an object larger than the tier is handed back`() {
    let tier = MemoryTier<String>(bytes: 1_000, count: 10)
    tier.insert(key("a"), "A", bytes: 10)
    #expect(tier.insert(key("b"), "B", bytes: 1_001).map(\.value) == ["B"])
    #expect(tier.insert(key("a"), "C", bytes: 1_001).map(\.value) == ["C"])
    #expect(tier.usage.count == 0)
  }

  @Test func `who reads an archive once takes nothing from those who watch live`() {
    let tier = MemoryTier<String>(bytes: 100_000, count: 1_000)
    let live = (0..<60).map { "live \($0)" }
    for name in live {
      tier.insert(key(name), name, bytes: 1_000)
      for _ in 0..<5 { _ = tier.value(key(name)) }
    }
    for number in 0..<2_000 {
      let name = "archive \(number)"
      #expect(tier.value(key(name)) == nil)
      tier.insert(key(name), name, bytes: 1_000)
      // Each of the live ones is watched all the while, if by few.
      #expect(tier.value(key(live[number % live.count])) != nil)
    }
    #expect(live.allSatisfy { tier.peek(key($0)) != nil })
  }

  @Test func `what is asked for takes the place of what no longer is`() {
    let tier = MemoryTier<Int>(bytes: 100_000, count: 1_000)
    for round in 0..<40 {
      for number in 0..<20 {
        let name = key("segment \(round) \(number)")
        tier.insert(name, round, bytes: 1_000)
        for _ in 0..<10 { #expect(tier.value(name) == round) }
      }
    }
    // The last two rounds are there whole; they fit the window and the main part.
    let last = (38..<40).flatMap { round in (0..<20).map { key("segment \(round) \($0)") } }
    #expect(last.filter { tier.peek($0) != nil }.count >= 30)
  }

  @Test func `objects go by their tags and prefixes`() {
    let tier = MemoryTier<String>(bytes: 256 << 20, count: 1_000, shards: 4)
    for number in 0..<100 {
      tier.insert(
        key("\(number)"), "\(number)", bytes: 10, tags: ["t\(number % 10)", "all", "all"])
    }
    #expect(tier.changeAll { _, value in value.hasPrefix("1") ? .remove : .none } == 11)
    #expect(tier.usage.count == 89)
    #expect(tier.change(tagged: ["t3"]) { _, _ in .remove } == 9)
    #expect(tier.change(tagged: ["t3"]) { _, _ in .remove } == 0)
    #expect(tier.peek(key("23")) == nil)
    // Stored anew with other tags, it goes with those alone.
    tier.insert(key("25"), "25", bytes: 10, tags: ["x"])
    #expect(tier.change(tagged: ["all"]) { _, _ in .remove } == 79)
    #expect(tier.change(tagged: ["x"]) { _, _ in .remove } == 1)
    #expect(tier.usage == MemoryUsage())
  }
}

@Suite struct `Objects that are looked at` {
  @Test func `are changed in their place, many tags and many objects at once`() {
    let tier = MemoryTier<Int>(bytes: 256 << 20, count: 100_000, shards: 4)
    for number in 0..<10_000 {
      tier.insert(key("\(number)"), number, bytes: 10, tags: ["t\(number)", "all"])
    }
    let tags = (0..<5_000).map { "t\($0 * 2)" } + ["nobody's"]
    #expect(tier.change(tagged: tags) { _, value in .replace(-value) } == 5_000)
    #expect((0..<10_000).allSatisfy { tier.peek(key("\($0)")) == ($0 % 2 == 0 ? -$0 : $0) })
    #expect(tier.changeAll { _, value in value > 9_000 ? .remove : .none } == 500)
    #expect(tier.usage == MemoryUsage(count: 9_500, bytes: 95_000))
    #expect(tier.change(tagged: ["all"]) { _, value in value < 0 ? .remove : .none } == 4_999)
  }
}

@Suite struct `Frequency sketch` {
  @Test func `what is asked for more often counts more`() {
    var sketch = FrequencySketch(keys: 1_000)
    for number in 0..<1_000 {
      for _ in 0..<(number % 8) { sketch.note(key("\(number)"), held: 1_000) }
    }
    let close = (0..<1_000).filter {
      let counted = sketch.frequency(of: key("\($0)"))
      return counted >= $0 % 8 && counted <= $0 % 8 + 2
    }
    #expect(close.count > 950)
  }

  @Test func `what was long ago is forgotten`() {
    var sketch = FrequencySketch(keys: 64)
    for _ in 0..<15 { sketch.note(key("old"), held: 64) }
    #expect(sketch.frequency(of: key("old")) == 15)
    for number in 0..<4_000 { sketch.note(key("\(number % 1_000)"), held: 64) }
    #expect(sketch.frequency(of: key("old")) < 15)
  }
}
