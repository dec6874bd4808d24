import Ingest
import Testing

@Suite struct `RTMP address` {
  @Test(arguments: [
    ("rtmp://host/live/name", "host", 1935, "live", "name", "rtmp://host/live"),
    ("RTMP://host/live/name", "host", 1935, "live", "name", "rtmp://host/live"),
    ("rtmps://host/live/name", "host", 443, "live", "name", "rtmps://host/live"),
    ("rtmps://host:1936/live/n", "host", 1936, "live", "n", "rtmps://host:1936/live"),
    ("rtmp://[::1]:19/a/b/c?t=x/y", "::1", 19, "a", "b/c?t=x/y", "rtmp://[::1]:19/a"),
    (
      "rtmp://1.2.3.4//live/n?token=a.b", "1.2.3.4", 1935, "live", "n?token=a.b",
      "rtmp://1.2.3.4/live"
    ),
  ])
  func `is taken apart`(
    text: String, host: String, port: Int, app: String, name: String, tcUrl: String
  ) throws {
    let address = try RTMPAddress(text)
    #expect(address.host == host)
    #expect(address.port == UInt16(port))
    #expect(address.app == app)
    #expect(address.streamName == name)
    #expect(address.tcUrl == tcUrl)
  }

  @Test(arguments: [
    "", "host/live/name", "http://host/live/name", "rtmp://", "rtmp:///live/name", "rtmp://host",
    "rtmp://host/live", "rtmp://host/live/", "rtmp://host/live/?token=x", "rtmp://host:0/a/b",
    "rtmp://host:99999/a/b", "rtmp://host:x/a/b", "rtmp://u:p@host/a/b", "rtmp://host/a/b c",
    "rtmp://host/a/b\r\n",
  ])
  func `what isn't one is refused with a sentence`(text: String) {
    #expect(throws: RTMPAddress.Malformed.self) { try RTMPAddress(text) }
  }

  @Test func `its description has no stream key`() throws {
    let address = try RTMPAddress("rtmp://host/live/secret?token=hidden")
    #expect("\(address)" == "rtmp://host/live/…")
  }
}
