import Foundation
import FoundationXML
import Media
import Origin
import Testing

@Suite struct `Statistics document` {
  /// The elements of a document as paths, with the text of those that have no children.
  final class Reader: NSObject, XMLParserDelegate {
    var path: [String] = []
    var text = ""
    var found: [(path: String, text: String)] = []
    var isLeaf = false

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      path.append(name)
      text = ""
      isLeaf = true
    }
    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
      qualifiedName: String?
    ) {
      if isLeaf { found.append((path.joined(separator: "/"), text)) }
      isLeaf = false
      path.removeLast()
    }
  }

  func read(_ status: NodeStatus) -> [(path: String, text: String)]? {
    let parser = XMLParser(data: Data(StatisticsDocument(status).bytes()))
    let reader = Reader()
    parser.delegate = reader
    return parser.parse() ? reader.found : nil
  }

  @Test func `has nginx-rtmp's elements in nginx-rtmp's order`() throws {
    let found = try #require(read(.sample))
    let stream = "rtmp/server/application/live/stream/"
    let first = found.map(\.path).filter { $0.hasPrefix(stream) }.map { $0.dropFirst(stream.count) }
    #expect(
      first.prefix(39).joined(separator: " ")
        == """
        name time bw_in bytes_in bw_out bytes_out bw_audio bw_video \
        client/id client/address client/time client/flashver client/dropped client/avsync \
        client/timestamp client/publishing client/active \
        client/id client/address client/time client/flashver client/pageurl client/dropped \
        client/avsync client/timestamp client/active \
        meta/video/width meta/video/height meta/video/frame_rate meta/video/codec \
        meta/video/profile meta/video/compat meta/video/level \
        meta/audio/codec meta/audio/profile meta/audio/channels meta/audio/sample_rate \
        nclients nviewers
        """)
  }

  @Test func `says what was sent, by receivers and renditions, behind what nginx-rtmp says`() throws
  {
    let found = try #require(read(.sample))
    let stream = "rtmp/server/application/live/stream/"
    let paths = found.map(\.path).filter { $0.hasPrefix(stream) }.map {
      String($0.dropFirst(stream.count))
    }
    let place = try #require(paths.firstIndex(of: "nviewers"))
    #expect(
      paths[(place + 1)...].prefix(9) == [
        "sent/to", "sent/bw_out", "sent/bytes_out",
        "sent/to", "sent/rendition", "sent/bw_out", "sent/bytes_out", "publishing", "active",
      ])
    func texts(_ name: String) -> [String] {
      found.filter { $0.path == "\(stream)sent/\(name)" }.map(\.text)
    }
    #expect(texts("to") == ["viewers", "viewers"])
    #expect(texts("rendition") == ["720p"])
    #expect(texts("bw_out") == ["9000", "40991000"])
    #expect(texts("bytes_out") == ["1200000", "4198800000"])
  }

  @Test func `what a rendition is called can't break it`() throws {
    var status = NodeStatus.sample
    status.streams[0].sent[1].rendition = "</sent>&<x>"
    let found = try #require(read(status))
    #expect(found.contains { $0.path.hasSuffix("sent/rendition") && $0.text == "</sent>&<x>" })
  }

  @Test func `says what is so`() throws {
    let found = try #require(read(.sample))
    func texts(_ path: String) -> [String] { found.filter { $0.path == path }.map(\.text) }
    let stream = "rtmp/server/application/live/stream"
    #expect(texts("rtmp/uptime") == ["93784"])
    #expect(texts("rtmp/naccepted") == ["12"])
    #expect(texts("\(stream)/name") == ["anna-ben", "carla & dan/church"])
    #expect(texts("\(stream)/time") == ["754000", "0"])
    #expect(texts("\(stream)/bw_in") == ["2731000", "0"])
    #expect(texts("\(stream)/meta/video/frame_rate") == ["29.97"])
    #expect(texts("\(stream)/meta/video/level") == ["4.1"])
    #expect(texts("\(stream)/client/pageurl") == ["https://a.example/?a=1&b=2"])
    #expect(texts("\(stream)/client/flashver") == ["FMLE/3.0 (compatible; FMSc/1.0)", "LNX <9>"])
    #expect(texts("\(stream)/publishing").count == 1)
    #expect(texts("\(stream)/active").count == 1)
    #expect(texts("rtmp/server/application/live/nclients") == ["2"])
  }

  @Test func `a level has its decimal, and what no codec says isn't there`() throws {
    var status = NodeStatus.sample
    status.streams[0].video?.level = 4
    status.streams[0].audio?.profile = ""
    let found = try #require(read(status))
    #expect(found.contains { $0.path.hasSuffix("video/level") && $0.text == "4.0" })
    #expect(found.contains { $0.path.hasSuffix("video/compat") && $0.text == "0" })
    #expect(!found.contains { $0.path.hasSuffix("audio/profile") })
    status.streams[0].video = VideoStatus(codec: .h263, width: 320, height: 180)
    let bare = try #require(read(status))
    #expect(!bare.contains { $0.path.hasSuffix("level") || $0.path.hasSuffix("compat") })
  }

  @Test func `text of clients can't break it`() throws {
    var status = NodeStatus.sample
    status.streams[0].clients[0].flashVersion = "]]></client>\u{0}\u{1B}\u{FFFE}<x y=\"&\">\nz"
    let found = try #require(read(status))
    #expect(found.contains { $0.text == "]]></client><x y=\"&\"> z" })
    #expect(!found.contains { $0.path.hasSuffix("/x") })
  }

  @Test func `numbers that are none are 0`() throws {
    var status = NodeStatus.sample
    status.streams[0].video?.frameRate = .nan
    let found = try #require(read(status))
    #expect(found.contains { $0.path.hasSuffix("frame_rate") && $0.text == "0" })
  }

  @Test func `names its stylesheet, and the transformation is XML`() {
    let text = String(decoding: StatisticsDocument(.sample).bytes(), as: UTF8.self)
    #expect(text.contains("<?xml-stylesheet type=\"text/css\" href=\"stat.css\"?>"))
    #expect(StatisticsDocument.stylesheet.count > 500)
    #expect(XMLParser(data: Data(StatisticsDocument.transform)).parse())
  }
}
