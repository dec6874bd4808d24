import Access
import Testing

@Suite struct `Remembered tokens` {
  let tokens: Tokens
  let now = Tokens.now
  let watch = Purpose.watch(wedding: "w1", camera: nil)

  init() async throws { tokens = try await Tokens() }

  @Test func `a remembered token is good until it expires`() throws {
    var memory = VerifiedTokens(tokens.verifier)
    let token = Array(try tokens.token(.watch, expires: now + 5).utf8)
    let seen1 = try memory.accept(token.span, for: watch, now: now)
    #expect(seen1.wedding == "w1")
    #expect(memory.count == 1)
    let seen2 = try memory.accept(token.span, for: watch, now: now + 14)
    #expect(seen2.wedding == "w1")
    let late = now + 15
    var reason: Refusal.Reason?
    do { _ = try memory.accept(token.span, for: watch, now: late) } catch { reason = error.reason }
    #expect(reason == .expired(seconds: 10))
  }

  @Test func `a remembered token is still checked for its purpose`() throws {
    var memory = VerifiedTokens(tokens.verifier)
    let token = Array(try tokens.token(.watch).utf8)
    _ = try memory.accept(token.span, for: watch, now: now)
    var refused = 0
    for purpose in [Purpose.service, .watch(wedding: "w2", camera: nil)] {
      do { _ = try memory.accept(token.span, for: purpose, now: now) } catch { refused += 1 }
    }
    #expect(refused == 2)
  }

  @Test func `memory is bounded and the least recently used is forgotten`() async throws {
    var memory = VerifiedTokens(tokens.verifier, capacity: 3)
    let all = try (0..<5).map { Array(try tokens.token(.watch, priority: $0 + 1).utf8) }
    for index in [0, 1, 2, 0, 3, 0, 4] {
      let token = all[index]
      let seen3 = try memory.accept(token.span, for: watch, now: now)
      #expect(seen3.priority == index + 1)
      #expect(memory.count <= 3)
    }
    for index in 0..<5 {
      let token = all[index]
      let isRemembered = memory.isRemembered(token.span)
      #expect(isRemembered == [0, 3, 4].contains(index))
    }
  }

  @Test func `forged tokens are not remembered and push nobody out`() throws {
    var memory = VerifiedTokens(tokens.verifier, capacity: 2)
    let token = Array(try tokens.token(.watch).utf8)
    _ = try memory.accept(token.span, for: watch, now: now)
    var refused = 0
    for index in 0..<50 {
      let forged = token.dropLast(4) + Array("\(1000 + index)".utf8)
      let bytes = Array(forged)
      do { _ = try memory.accept(bytes.span, for: watch, now: now) } catch { refused += 1 }
    }
    #expect(refused >= 49)
    #expect(memory.count == 1)
  }

  @Test func `when the keys change nothing old counts`() async throws {
    var memory = VerifiedTokens(tokens.verifier)
    let token = Array(try tokens.token(.watch).utf8)
    _ = try memory.accept(token.span, for: watch, now: now)
    tokens.verifier.replace(keys: try await .secret(Array("quite another secret".utf8)))
    var reason: Refusal.Reason?
    do { _ = try memory.accept(token.span, for: watch, now: now) } catch { reason = error.reason }
    #expect(reason == .badSignature)
    #expect(memory.count == 0)
  }

  @Test func `tokens come and go in random order as in a plain list`() throws {
    var memory = VerifiedTokens(tokens.verifier, capacity: 4)
    var model: [Int] = []
    let all = try (0..<8).map { Array(try tokens.token(.watch, priority: $0 + 1).utf8) }
    for _ in 0..<2000 {
      let index = Int.random(in: 0..<8)
      let token = all[index]
      let seen4 = try memory.accept(token.span, for: watch, now: now)
      #expect(seen4.priority == index + 1)
      model.removeAll { $0 == index }
      model.append(index)
      if model.count > 4 { model.removeFirst() }
      #expect(memory.count == model.count)
      for (other, kept) in all.enumerated() {
        let isRemembered = memory.isRemembered(kept.span)
        #expect(isRemembered == model.contains(other))
      }
    }
  }
}
