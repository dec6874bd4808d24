import HTTPTypes
import Testing

@testable import Cache

@Suite struct `Parts of a large object` {
  private let slices = Slices(size: 10)

  @Test func `every range of an object is the sum of its parts`() {
    let whole = (0..<47).map { UInt8($0) }
    for start in 0..<whole.count {
      for end in start + 1...whole.count {
        var got: [UInt8] = []
        for number in slices.numbers(of: start..<end) {
          let slice = Array(whole[slices.range(of: number, total: whole.count)])
          got += slice[slices.part(of: number, in: start..<end)]
        }
        #expect(got == Array(whole[start..<end]))
      }
    }
  }

  @Test func `it is asked for by aligned ranges`() {
    #expect(slices.field(of: 0) == "bytes=0-9")
    #expect(slices.field(of: 4) == "bytes=40-49")
    #expect(slices.range(of: 4, total: 47) == 40..<47)
    #expect(slices.range(of: 5, total: 47).isEmpty)
  }

  @Test(arguments: [1, 10, 1 << 20, Int.max]) func `what no offset can say overflows nothing`(
    size: Int
  ) {
    let slices = Slices(size: size)
    #expect(slices.first(of: "bytes=\(Int.max)-") == nil)
    for number in [slices.number(of: .max), .max] {
      let range = slices.range(of: number)
      #expect(range.upperBound <= Int.max)
      #expect(slices.field(of: number).hasPrefix("bytes=\(range.lowerBound)-"))
      #expect(slices.part(of: number, in: 0..<Int.max).count <= size)
    }
    let count = slices.count(total: .max)
    #expect(slices.range(of: count - 1, total: .max).contains(.max - 1))
  }

  private static let firsts: [(String?, Int?)] = [
    (nil, 0), ("bytes=0-", 0), ("bytes=9-9", 0), ("bytes=10-", 1), ("BYTES=25-30", 2),
    ("bytes=-5", nil), ("lines=3-4", 0), ("bytes=25-30,0-1", 2), ("bytes=x-", nil),
    ("bytes=9223372036854775807-", nil), ("bytes=9223372036854775806-9223372036854775806,0-1", nil),
    ("bytes=99999999999999999999-", nil),
  ]

  @Test(arguments: firsts)
  func `the first part is known before the length`(_ field: String?, number: Int?) {
    #expect(slices.first(of: field) == number)
  }

  @Test(arguments: [
    "", "bytes", "bytes */47", "bytes 0-9/*", "bytes 9-0/47", "bytes 0-47/47", "bytes -9/47",
    "lines 0-9/47", "bytes 0-9/47x", "bytes 0-9/", "bytes a-b/c", "bytes 0/9-47",
    "bytes 0-99999999999999999999/999999999999999999999",
  ]) func `a range that says nothing is none`(_ text: String) {
    #expect(ContentRange(text) == nil)
  }

  @Test func `a range is read as it is written`() {
    let range = ContentRange(3..<10, total: 47)
    #expect(range.text == "bytes 3-9/47")
    #expect(ContentRange(range.text) == range)
    #expect(ContentRange("Bytes  3-9/47 ") == range)
  }

  private func read(
    _ status: Int, _ pairs: [(String, String)], number: Int = 1
  ) -> SliceReference.Answer {
    SliceReference.read(Answers.response(status, pairs), number: number, of: slices)
  }

  @Test func `the part that was asked for`() {
    let answer = read(206, [("Content-Range", "bytes 10-19/47"), ("ETag", "\"a\"")])
    guard case .slice(let reference, let range) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(range.range == 10..<20)
    #expect(reference.total == 47)
    #expect(reference.entityTag == "\"a\"")
    #expect(
      read(206, [("Content-Range", "bytes 40-46/47"), ("Content-Length", "7")], number: 4)
        != .broken(""))
  }

  @Test func `anything else is told apart`() {
    #expect(read(200, []) == .whole)
    #expect(read(416, [("Content-Range", "bytes */47")]) == .outside(total: 47))
    #expect(read(416, []) == .outside(total: nil))
    #expect(read(404, []) == .other)
    let lies: [[(String, String)]] = [
      [], [("Content-Range", "bytes 0-9/47")], [("Content-Range", "bytes 10-18/47")],
      [("Content-Range", "bytes 10-19/*")],
      [("Content-Range", "bytes 10-19/47"), ("Content-Range", "bytes 10-19/48")],
      [("Content-Range", "bytes 10-19/47"), ("Content-Length", "9")],
    ]
    for lie in lies {
      guard case .broken = read(206, lie) else {
        Issue.record("\(lie)")
        continue
      }
    }
  }

  @Test func `parts of other bytes don't match`() {
    func reference(_ total: Int, _ tag: String?, _ date: String? = nil) -> SliceReference {
      SliceReference(total: total, entityTag: tag, lastModified: date)
    }
    let one = reference(47, "\"a\"", "x")
    #expect(one.matches(reference(47, "\"a\"", "y")))
    #expect(!one.matches(reference(48, "\"a\"", "x")))
    #expect(!one.matches(reference(47, "\"b\"", "x")))
    #expect(!one.matches(reference(47, nil, "x")))
    #expect(reference(47, nil, "x").matches(reference(47, nil, "x")))
    #expect(!reference(47, nil, "x").matches(reference(47, nil, "y")))
  }
}
