import Foundation
import HTTPTypes
import Testing

@testable import Edge

/// What suites of large objects share: an edge that cuts them, and what is true of every range.
protocol SlicedObjects {}

extension SlicedObjects {
  static var slice: Int { sliceBytes }
  static var size: Int { objectBytes }
  static var ranges: [(field: String, range: Range<Int>?)] { allRanges }

  func node(
    port: UInt16 = 0, _ change: (inout EdgeConfiguration) -> Void = { _ in }
  ) throws -> EdgeNode {
    try EdgeNode(port: port) {
      $0.sliceBytes = Self.slice
      change(&$0)
    }
  }

  func name(_ function: String = #function, _ tail: String = "") -> String {
    String(function.filter { $0.isLetter }) + tail
  }

  func rule(_ more: String = "", version: Int = 1, age: Int = 600) -> String {
    "cc=max-age%3D\(age)&ranges=1&version=\(version)&size=\(Self.size)\(more)"
  }

  func whole(_ name: String, _ version: Int = 1) -> [UInt8] {
    ScriptedOrigin.body(name, version, size: Self.size)
  }

  func check(
    _ edge: EdgeNode, _ path: String, _ truth: [UInt8], _ ask: (field: String, range: Range<Int>?)
  ) async throws {
    let answer = try await edge.get(path, [("range", ask.field)])
    guard let range = ask.range else {
      #expect(answer.head.status.code == 416, "\(path) \(ask.field)")
      return
    }
    #expect(answer.head.status.code == 206, "\(path) \(ask.field)")
    #expect(
      answer.head.headerFields[.contentRange]
        == "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(Self.size)", "\(ask.field)")
    #expect(answer.body == Array(truth[range]), "\(path) \(ask.field)")
  }
}

private let sliceBytes = 4_096
/// Ten slices and a bit.
private let objectBytes = 10 * sliceBytes + 100

/// Ranges as they are asked for, and what they are: around each slice's ends, suffixes, open ends.
private let allRanges: [(field: String, range: Range<Int>?)] = {
  var all: [(String, Range<Int>?)] = []
  var edges: [Int] = []
  for number in 0...10 {
    for byte in number * sliceBytes - 1...number * sliceBytes + 1
    where (0..<objectBytes).contains(byte) {
      edges.append(byte)
    }
  }
  for start in edges {
    for end in [
      start, start + 1, start + sliceBytes - 1, start + sliceBytes, start + 3 * sliceBytes,
    ] {
      all.append(("bytes=\(start)-\(end)", start..<min(end + 1, objectBytes)))
    }
    all.append(("bytes=\(start)-", start..<objectBytes))
    if start > 0 { all.append(("bytes=-\(start)", objectBytes - start..<objectBytes)) }
  }
  all.append(("bytes=0-\(objectBytes * 2)", 0..<objectBytes))
  all.append(("bytes=-\(objectBytes * 2)", 0..<objectBytes))
  all.append(("bytes=\(objectBytes)-", nil))
  all.append(("bytes=\(objectBytes * 3)-\(objectBytes * 4)", nil))
  return all
}()
