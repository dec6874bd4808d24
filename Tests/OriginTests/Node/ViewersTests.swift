import TestSupport
import Viewers
import Access
import EventLoop
import HLS
import HTTPServer
import HTTPTypes
import Media
import Testing

@testable import Origin

@Suite struct `Origin node, viewers` {
  private let encoder = Encoder()

  private func text(_ body: [UInt8]) -> String { String(decoding: body, as: UTF8.self) }

  @Test func `a viewer gets from the program's playlist to the pictures`() async throws {
    let node = try await TestNode()
    #expect(try await node.get("/hls/w/index.m3u8").response.status == .notFound)
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 })
    let (program, master) = try await node.get("/hls/w/index.m3u8")
    #expect(program.status == .ok)
    #expect(program.headerFields[.contentType] == "application/vnd.apple.mpegurl")
    #expect(text(master).hasSuffix("\n/hls/w/program/source/index.m3u8\n"))
    let camera = text(try await node.get("/hls/w/main/index.m3u8").body)
    #expect(camera == text(master).replacing("/program/", with: "/main/"))
    // One camera's stream is the program, down to its bytes.
    #expect(
      try await node.get("/hls/w/program/source/index.m3u8").body
        == node.get("/hls/w/main/source/index.m3u8").body)
    let playlist = try #require(try await node.playlist())
    for name in playlist.names {
      let (response, segment) = try await node.get("/hls/w/main/source/" + name)
      #expect(response.status == .ok)
      #expect(response.headerFields[.contentType] == "video/mp2t")
      #expect(response.headerFields[.cacheControl] == "public, max-age=31536000, immutable")
      #expect(segment.count > 188 && segment.count % 188 == 0)
      #expect(stride(from: 0, to: segment.count, by: 188).allSatisfy { segment[$0] == 0x47 })
      let head = try await node.get("/hls/w/main/source/" + name, .head)
      #expect(head.response.status == .ok)
      #expect(head.response.headerFields[.contentLength] == "\(segment.count)")
      #expect(head.body.isEmpty)
    }
  }

  @Test func `who comes before the first segment is kept waiting for it`() async throws {
    let node = try await TestNode()
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers)
    async let program = node.get("/hls/w/index.m3u8")
    async let camera = node.get("/hls/w/main/index.m3u8")
    async let playlist = node.get("/hls/w/main/source/index.m3u8")
    #expect(try await node.isHeld(3))
    await publisher.send(encoder.messages(seconds: 7))
    for (response, body) in [try await program, try await camera] {
      #expect(response.status == .ok)
      #expect(text(body).hasSuffix("/source/index.m3u8\n"))
    }
    let first = try await playlist
    #expect(first.response.status == .ok)
    #expect(text(first.body).contains("#EXTINF"))
  }

  @Test func `what isn't there is told once in each field`() async throws {
    let node = try await TestNode()
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 })
    for (path, cacheControl) in [
      ("/hls/v/index.m3u8", "no-store"), ("/hls/w/c2/index.m3u8", "no-store"),
      ("/hls/w/main/720p/index.m3u8", "no-store"), ("/hls/w/main/source/0-nothing.ts", "max-age=1"),
      ("/hls/w/main/source/2-nothing.ts", "max-age=1"), ("/hls/w/other.m3u8", "no-store"),
      ("/hls/", "no-store"), ("/nothing", "no-store"),
    ] {
      let (response, body) = try await node.get(path)
      #expect(response.status == .notFound, "\(path)")
      #expect(response.headerFields[values: .cacheControl] == [cacheControl], "\(path)")
      #expect(response.headerFields[values: .accessControlAllowOrigin] == ["*"], "\(path)")
      #expect(text(body).hasPrefix("{\"error\":{\"code\":\""))
    }
  }

  @Test func `scripts of other sites may ask, and other methods may not be used`() async throws {
    let node = try await TestNode()
    let (preflight, _) = try await node.get(
      "/hls/w/index.m3u8", .options,
      [.origin: "https://other.example", .accessControlRequestMethod: "GET"])
    #expect(preflight.status == .noContent)
    #expect(preflight.headerFields[values: .accessControlAllowOrigin] == ["*"])
    #expect(preflight.headerFields[.accessControlAllowHeaders]?.contains("authorization") == true)
    for method in [HTTPRequest.Method.post, .put, .delete] {
      let (response, body) = try await node.get("/hls/w/index.m3u8", method)
      #expect(response.status == .methodNotAllowed)
      #expect(response.headerFields[.allow] == "GET, HEAD, OPTIONS")
      let words = "\(method.rawValue) isn't taken here; GET, HEAD and OPTIONS are."
      #expect(String(decoding: body, as: UTF8.self).contains(words))
    }
  }

  @Test func `a percent-encoded address is the same address`() async throws {
    let node = try await TestNode()
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 })
    #expect(try await node.get("/hls/%77/%6dain//index.m3u8").response.status == .ok)
    #expect(try await node.get("/hls/w%2Fmain/index.m3u8").response.status == .badRequest)
    #expect(try await node.get("/hls/w/%2e%2e/w/index.m3u8").response.status == .badRequest)
  }

  // MARK: Blocking reload

  @Test func `a reload that asks for the next segment gets it as soon as it is there`()
    async throws
  {
    let node = try await TestNode()
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.nextSequence == 2 })
    #expect(try await node.playlist("?_HLS_msn=1")?.nextSequence == 2)
    for query in ["?_HLS_msn=4", "?_HLS_msn=x", "?_HLS_part=1", "?_HLS_msn=1&_HLS_msn=2"] {
      let (response, _) = try await node.get("/hls/w/main/source/index.m3u8" + query)
      #expect(response.status == .badRequest, "\(query)")
    }
    async let next = node.playlist("?_HLS_msn=2")
    async let second = node.playlist("?x=y&_HLS_msn=3&_HLS_part=0")
    #expect(try await node.isHeld(2))
    await publisher.send(encoder.messages(from: 7, seconds: 3))
    #expect(try await next?.nextSequence == 3)
    #expect(try await node.isHeld(1))
    await publisher.send(encoder.messages(from: 10, seconds: 3))
    #expect(try await second?.nextSequence == 4)
  }

  @Test func `who waits for a stream that is left to the next process asks anew`() async throws {
    let node = try await TestNode()
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.nextSequence == 2 })
    // Its encoder goes, and with it what it has sent of the next one.
    async let far = node.get("/hls/w/main/source/index.m3u8?_HLS_msn=3")
    #expect(try await node.isHeld(1))
    let left = try await node.node.yield(.named("w"), to: [1], 9, isAdmitted: true)
    #expect(left?.state.nextSequence == 3)
    func hasAll(_ answer: (response: HTTPResponse, body: [UInt8])) -> Bool {
      answer.response.status == .ok && answer.response.headerFields[.connection] == "close"
        && Playlist(String(decoding: answer.body, as: UTF8.self)).nextSequence == 3
    }
    #expect(hasAll(try await far))
    // Those who come late aren't kept waiting either, whichever address they ask.
    for path in ["/hls/w/main/source/", "/hls/w/program/source/"] {
      for query in ["?_HLS_msn=3", "?_HLS_msn=4", ""] {
        #expect(hasAll(try await node.get(path + "index.m3u8" + query)), "\(path)\(query)")
      }
    }
    let (master, _) = try await node.get("/hls/w/index.m3u8")
    #expect(master.headerFields[.connection] == "close")
    #expect(try await node.isHeld(0))
  }

  @Test func `those who wait for a segment that never comes get the end`() async throws {
    let node = try await TestNode { $0.streams.reconnectWindow = .milliseconds(50) }
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.nextSequence == 2 })
    async let last = node.playlist("?_HLS_msn=3")
    #expect(try await node.isHeld(1))
    await publisher.leave()
    let playlist = try #require(try await last)
    #expect(playlist.isEnded)
    #expect(playlist.nextSequence == 3)
    #expect(try await node.playlist("?_HLS_msn=3")?.isEnded == true)
  }

  /// A playlist with one address in it.
  private func sample(_ address: String) -> PlaylistResponse {
    let info = VariantInfo(
      bandwidth: 1, averageBandwidth: 1, codecs: [], size: nil, frameRate: nil)
    return PlaylistResponse(
      MasterPlaylist([MasterPlaylist.Variant(uri: address, info: info)]).text, maximumAge: 1,
      tag: "t")
  }

  /// A live stream as viewers find it whose plan lacks the source, before and after the first
  /// rung's first segment.
  private func lesser(_ version: UInt64, hasRung: Bool, isOver: Bool = false) -> StreamSnapshot {
    func rendition(_ name: String, viewers: UInt32) -> RenditionSnapshot {
      RenditionSnapshot(
        name: Array(name.utf8), viewers: viewers, playlist: sample(name), nextSequence: 4,
        targetDuration: 3, segments: [])
    }
    return StreamSnapshot(
      key: .named("w"), version: version, isOver: isOver,
      masters: [hasRung ? MasterResponse(playlist: sample("first"), variants: []) : nil],
      renditions: [rendition("source", viewers: 0)]
        + (hasRung ? [rendition("240p", viewers: .max)] : []),
      coming: hasRung ? [] : [ComingRendition(name: Array("240p".utf8), viewers: .max)],
      lacking: [
        LackingRendition(
          name: Array("4k".utf8), response: .error(404, code: "above_source", message: "large"))
      ])
  }

  @Test func `who may not have the source waits for the first segment of a rung`() async throws {
    let node = try await TestNode()
    let other = StreamSnapshot(
      key: .named("v"), version: 1, isOver: false, masters: [nil], renditions: [])
    node.node.outlet.publish(lesser(1, hasRung: false))
    node.node.outlet.publish(other)
    async let program = node.get("/hls/w/index.m3u8")
    async let camera = node.get("/hls/w/main/index.m3u8")
    async let playlist = node.get("/hls/w/main/240p/index.m3u8")
    #expect(try await node.isHeld(3))
    #expect(try await node.get("/hls/w/main/source/index.m3u8").response.status == .forbidden)
    #expect(try await node.get("/hls/v/index.m3u8").response.status == .notFound)
    node.node.outlet.publish(lesser(2, hasRung: true))
    for (response, body) in [try await program, try await camera] {
      #expect(response.status == .ok)
      #expect(text(body).contains("first"))
    }
    let first = try await playlist
    #expect(first.response.status == .ok)
    #expect(text(first.body).contains("240p"))
  }

  @Test func `who has waited for a rung in vain is asked to come again`() async throws {
    let node = try await TestNode()
    node.node.outlet.publish(
      StreamSnapshot(
        key: .named("w"), version: 1, isOver: false, masters: [nil],
        renditions: [
          RenditionSnapshot(
            name: Array("source".utf8), viewers: 0, playlist: sample("s"), nextSequence: 1,
            targetDuration: 0, segments: [])
        ], coming: [ComingRendition(name: Array("240p".utf8), viewers: .max)]))
    #expect(
      try await eventually {
        let (response, body) = try await node.get("/hls/w/index.m3u8")
        return response.status == .serviceUnavailable && response.headerFields[.retryAfter] == "2"
          && text(body).contains(#""code":"starting""#)
      })
  }

  @Test func `a segment that is long gone is told so for long`() async throws {
    let node = try await TestNode()
    let segment = SegmentResponse(
      sequence: 100, name: Array("100-a.ts".utf8), byteCount: 0, source: .elsewhere)
    node.node.outlet.publish(
      StreamSnapshot(
        key: .named("w"), version: 1, isOver: false, masters: [nil],
        renditions: [
          RenditionSnapshot(
            name: Array("source".utf8), playlist: sample("s"), nextSequence: 101,
            targetDuration: 3, segments: [segment])
        ]))
    for (name, code, age) in [
      ("35-b.ts", "segment_gone", "max-age=600"), ("36-b.ts", "no_segment", "max-age=1"),
      ("100-b.ts", "no_segment", "max-age=1"), ("101-b.ts", "no_segment", "max-age=1"),
      ("9999999999-b.ts", "no_segment", "max-age=1"),
    ] {
      #expect(
        try await eventually {
          let (response, body) = try await node.get("/hls/w/main/source/\(name)")
          return response.status == .notFound && text(body).contains("\"code\":\"\(code)\"")
            && response.headerFields[.cacheControl] == age
        }, "\(name)")
    }
  }

  @Test func `a quality that a stream lacks is refused with the reason`() async throws {
    let node = try await TestNode()
    node.node.outlet.publish(lesser(1, hasRung: true))
    for (name, code, words) in [
      ("4k", "above_source", "large"), ("8k", "no_quality", "it has source, 240p."),
    ] {
      #expect(
        try await eventually {
          let (response, body) = try await node.get("/hls/w/main/\(name)/index.m3u8")
          return response.status == .notFound && text(body).contains("\"code\":\"\(code)\"")
            && text(body).contains(words)
        }, "\(name)")
    }
  }

  @Test func `those who wait when a wedding is locked get nothing more of it`() async throws {
    let node = try await TestNode { $0.watchNeedsToken = true }
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    let path = "/hls/w/main/source/index.m3u8?_HLS_msn=2&token="
    let token = try node.token(.watch)
    let unlocked = try node.token(.watch, isUnlocked: true)
    #expect(try await eventually { try await node.playlist("?token=\(token)")?.nextSequence == 2 })
    async let refused = node.get(path + token)
    async let taken = node.get(path + unlocked)
    #expect(try await node.isHeld(2))
    for mailbox in node.mailboxes {
      try await mailbox.run { $0.local(ViewerSite.self)?.handler.gate.locked = ["w"] }
    }
    await publisher.send(encoder.messages(from: 7, seconds: 3))
    #expect(try await refused.response.status == .forbidden)
    #expect(try await taken.response.status == .ok)
  }

  // MARK: Tokens

  @Test func `a viewer's token is handed on, and keeps the playlist out of shared caches`()
    async throws
  {
    let node = try await TestNode { $0.watchNeedsToken = true }
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    let token = try node.token(.watch)
    let path = "/hls/w/main/source/index.m3u8"
    #expect(
      try await eventually {
        try await node.playlist("?token=\(token)")?.entries.count == 2
      })
    #expect(try await node.get(path).response.status == .unauthorized)
    let inQuery = try await node.get(path + "?token=\(token)")
    #expect(inQuery.response.headerFields[.cacheControl] == "private, max-age=1")
    let inHeader = try await node.get(path, .get, [.authorization: "Bearer \(token)"])
    #expect(inHeader.response.status == .ok)
    #expect(inHeader.response.headerFields[.cacheControl] == "private, max-age=1")
    let names = Playlist(text(inQuery.body)).names
    #expect(
      names.map { $0.replacing("?token=\(token)", with: "") }
        == Playlist(text(inHeader.body)).names)
    for name in names {
      #expect(name.hasSuffix("?token=\(token)"))
      #expect(try await node.get("/hls/w/main/source/" + name).response.status == .ok)
    }
    let bare = try #require(Playlist(text(inHeader.body)).names.first)
    #expect(try await node.get("/hls/w/main/source/" + bare).response.status == .unauthorized)
    for nothing in ["/hls/v/index.m3u8", "/hls/w/main/source/0-nothing.ts", "/hls/w/main/x/y.ts"] {
      #expect(try await node.get(nothing).response.status == .unauthorized)
    }
    let master = try await node.get("/hls/w/index.m3u8?token=\(token)").body
    #expect(text(master).contains("/hls/w/program/source/index.m3u8?token=\(token)\n"))
  }

  @Test func `viewers are counted by who they are, on all loops`() async throws {
    let node = try await TestNode { $0.watchNeedsToken = true }
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    let token = try node.token(.watch)
    #expect(
      try await eventually { try await node.playlist("?token=\(token)") != nil })
    let other = try node.token(.watch, camera: "main")
    for _ in 0..<5 {
      _ = try await node.playlist("?token=\(token)")
      _ = try await node.playlist("?token=\(other)")
    }
    let counts = try await node.viewers(of: .named("w"))
    // One each on every loop that served them.
    #expect(counts.allSatisfy { $0 <= 2 })
    #expect(counts.max() == 2)
  }
}

extension TestNode {
  /// Waits until so many requests are held.
  fileprivate func isHeld(_ count: Int) async throws -> Bool {
    try await eventually {
      var held = 0
      for mailbox in mailboxes {
        held += try await mailbox.run { $0.local(ViewerSite.self)?.server.heldCount ?? 0 }
      }
      return held == count
    }
  }

  fileprivate func viewers(of key: StreamKey) async throws -> [Int] {
    var counts: [Int] = []
    for mailbox in mailboxes {
      counts.append(
        try await mailbox.run { loop in
          loop.local(ViewerSite.self)?.table.viewers(
            of: key, now: loop.now.nanoseconds / 1_000_000_000) ?? 0
        })
    }
    return counts
  }
}
