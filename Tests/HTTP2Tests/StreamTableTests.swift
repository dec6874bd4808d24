import Glibc
import Testing

@testable import HTTP2

@Suite struct `The page of a session's streams` {
  @Test func `is given back where nothing stands in it, and is there again`() throws {
    var tables = StreamTables()
    #expect(unsafe tables.make(bytes: 4_095) == nil)
    #expect(unsafe tables.make(bytes: 8_192) == nil)
    let page = unsafe try #require(tables.make(bytes: StreamTables.bytes))
    #expect(unsafe tables.takeLast() == page)
    #expect(unsafe tables.takeLast() == nil)
    for place in [0, 7, 2_000, 4_095] {
      unsafe page.storeBytes(of: 1, toByteOffset: place, as: UInt8.self)
      #expect(unsafe !tables.giveBack(page))
      #expect(unsafe page.load(fromByteOffset: place, as: UInt8.self) == 1)
      unsafe page.storeBytes(of: 0, toByteOffset: place, as: UInt8.self)
      #expect(unsafe tables.giveBack(page))
      #expect(unsafe page.load(fromByteOffset: place, as: UInt8.self) == 0)
    }
    unsafe tables.forget(page + 16)
    #expect(unsafe tables.giveBack(page))
    // Whose memory it is by then nobody knows.
    unsafe tables.forget(page)
    #expect(unsafe !tables.giveBack(page))
    unsafe free(page)
  }

  @Test func `rests while no stream is open, and works again`() throws {
    let peer = try Peer(Peer.workspace())
    peer.answers["/a"] = Array("alpha".utf8)
    peer.receive(Frames.preface + Frames.settings())
    peer.produce()
    for stream: Int32 in [1, 5, 9] {
      #expect(peer.session?.rest() == true)
      peer.answersByItself = false
      peer.receive(Frames.request(stream, "/a", method: "POST", end: false))
      #expect(peer.session?.rest() == false)
      peer.answersByItself = true
      peer.receive(Frames.request(stream + 2, "/a") + Frames.rst(stream))
      peer.produce()
      #expect(peer.data(stream + 2) == Array("alpha".utf8))
    }
    #expect(peer.session?.rest() == true)
    peer.end()
  }
}
