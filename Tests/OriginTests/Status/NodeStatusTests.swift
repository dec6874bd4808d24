import Foundation
import Origin
import Testing
import Viewers

@Suite struct `Node status` {
  @Test func `its JSON reads back the same`() throws {
    let bytes = try NodeStatus.sample.json()
    #expect(try JSONDecoder().decode(NodeStatus.self, from: Data(bytes)) == .sample)
  }

  @Test func `what was sent adds up to a stream's traffic`() {
    var traffic = TrafficStatus(bytesIn: 1, bytesOut: 2, bitsInPerSecond: 3, bitsOutPerSecond: 4)
    let sent = [
      SentBytes(.init(.viewers, "720p"), bytes: 10, bitsPerSecond: 100),
      SentBytes(.init(.nodes), bytes: 20, bitsPerSecond: 200),
    ]
    traffic.add(sent)
    #expect(
      traffic
        == TrafficStatus(bytesIn: 1, bytesOut: 32, bitsInPerSecond: 3, bitsOutPerSecond: 304))
    #expect(
      sent.map { SentStatus($0) } == [
        SentStatus(receiver: "viewers", rendition: "720p", bytesOut: 10, bitsOutPerSecond: 100),
        SentStatus(receiver: "nodes", rendition: nil, bytesOut: 20, bitsOutPerSecond: 200),
      ])
  }

  @Test func `what a client says of itself is told without the tokens in it`() throws {
    var status = NodeStatus.sample
    status.streams[0].clients = [
      ClientStatus(
        id: 1, address: "192.0.2.1", flashVersion: "x token=hunter2",
        pageURL: "https://a.example/?a=1&token=hunter2&b=2", swfURL: "rtmp://h/x?key=hunter2")
    ]
    let json = String(decoding: try status.json(), as: UTF8.self)
    let xml = String(decoding: StatisticsDocument(status).bytes(), as: UTF8.self)
    for text in [json, xml] { #expect(!text.contains("hunter2")) }
    #expect(xml.contains("?a=1&amp;token=[redacted]&amp;b=2"))
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
