import Store
import Testing

@Suite struct `Number block` {
  func block() -> NumberBlock {
    NumberBlock(
      StreamNumbers.begin(
        after: nil, name: StreamNumbers.Name(wedding: "w", camera: "main"), tag: "t", now: 0))
  }

  @Test func `numbers follow one another and more are asked for once, at half`() {
    var block = block()
    var asked: [UInt64] = []
    for expected in UInt64(0)..<100 {
      let number = block.takeSequence()
      #expect(number == expected)
      if block.wantsMore() { asked.append(number) }
    }
    #expect(asked == [63])
  }

  @Test func `an answer moves the limits on, a failed one is asked again`() {
    var block = block()
    for _ in 0..<64 { _ = block.takeSequence() }
    let asks1 = block.wantsMore()
    #expect(asks1)
    block.extend(to: nil)
    let asks2 = block.wantsMore()
    #expect(asks2)
    block.extend(to: .init(sequence: 192, discontinuity: 10))
    #expect(block.numbers.limits == .init(sequence: 192, discontinuity: 32))
    let asks3 = block.wantsMore()
    #expect(!asks3)
  }

  @Test func `a store that never answers does not stop the stream`() {
    var block = block()
    for _ in 0..<128 { _ = block.takeSequence() }
    #expect(!block.isOverdrawn)
    let beyond = block.takeSequence()
    #expect(beyond == 128)
    #expect(block.isOverdrawn)
  }

  @Test func `discontinuities use up their own numbers`() {
    var block = block()
    for _ in 0..<15 { block.addDiscontinuity() }
    let asks4 = block.wantsMore()
    #expect(!asks4)
    block.addDiscontinuity()
    let asks5 = block.wantsMore()
    #expect(asks5)
    #expect(block.snapshot(lastPTS: 7).next.discontinuity == 16)
    #expect(block.snapshot(lastPTS: 7).lastPTS == 7)
  }
}
