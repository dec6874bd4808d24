import Foundation
import Origin
import Testing

@Suite struct `Node status` {
  @Test func `its JSON reads back the same`() throws {
    let bytes = try NodeStatus.sample.json()
    #expect(try JSONDecoder().decode(NodeStatus.self, from: Data(bytes)) == .sample)
  }

  @Test func `has the names that the page reads`() throws {
    let text = String(decoding: try NodeStatus.sample.json(), as: UTF8.self)
    let script = PageText.script
    let names = script.matches(
      of: /(?:status|stream|client|video|audio|traffic|playlist)\.([a-z]+(?:_[a-z]+)*)\b/)
    let own: Set = ["length", "filter", "map", "reduce", "codec", "streams"]
    for name in Set(names.map { String($0.output.1) }).subtracting(own) {
      #expect(text.contains("\"\(name)\":"), "status.js reads \(name)")
    }
  }
}
