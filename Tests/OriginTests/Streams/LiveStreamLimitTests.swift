import TestSupport
@testable import Viewers
import Access
import HLS
import Ingest
import Media
import RTMP
import Testing
import Transcode

@testable import HTTPServer
@testable import Origin

@Suite struct `Limits of a live stream` {
  // MARK: What can't be used

  @Test func `a codec that viewers can't get is refused once, with words that help`() throws {
    let test = try TestStream()
    test.begin()
    test.feed([Encoder.video(0, Encoder.hevc)])
    #expect(
      test.refusals == ["h265 can't be sent to viewers yet; set the encoder to H.264 video"])
    test.feed(Encoder().headers + Encoder().messages(seconds: 8))
    #expect(test.refusals.count == 1)
    #expect(test.playlist == nil)
    test.stream.interrupt()
    test.begin()
    test.feed(Encoder().headers + Encoder().messages(seconds: 8))
    #expect(test.playlist?.entries.count == 2)
  }

  @Test(arguments: [
    ("2f fffb9064", "mp3 can't be sent to viewers yet; set the encoder to AAC-LC audio"),
    (
      "90 4f707573 4f707573486561640102380180bb0000000000",
      "opus can't be sent to viewers yet; set the encoder to AAC-LC audio"
    ),
    ("90 61626364 00", "abcd is not a codec this server knows; set the encoder to H.264 and AAC"),
    ("cf 00", "sound format 12 is not a codec this server knows; set the encoder to H.264 and AAC"),
  ])
  func `other sound is refused, with and without a header`(hex: String, words: String) throws {
    let test = try TestStream()
    test.begin()
    test.feed([Encoder.audio(0, Encoder.bytes(hex))])
    #expect(test.refusals == [words])
  }

  @Test func `a further track that can't be packaged does not end the stream`() throws {
    let test = try TestStream()
    test.begin()
    let encoder = Encoder()
    test.feed(encoder.headers)
    // Track 1: Opus, its header and a packet.
    let header = "95 00 4f707573 01 4f707573486561640102380180bb0000000000"
    test.feed([Encoder.audio(0, Encoder.bytes(header))])
    test.feed([Encoder.audio(0, Encoder.bytes("95 01 4f707573 01 aabb"))])
    test.feed(encoder.messages(seconds: 7))
    #expect(test.refusals.isEmpty)
    #expect(test.playlist?.entries.count == 2)
  }

  @Test func `what can't be read is lost, and nothing else`() throws {
    let test = try TestStream()
    test.begin()
    var pieces = Encoder().headers + Encoder().messages(seconds: 10)
    for index in stride(from: pieces.count - 1, to: 5, by: -7) {
      pieces.insert(Encoder.video(pieces[index].message.timestamp, [0x27, 1, 0]), at: index)
      pieces.insert(Encoder.video(pieces[index].message.timestamp, [0x27, 9, 0, 0, 0]), at: index)
      pieces.insert(Encoder.audio(pieces[index].message.timestamp, [0xAF, 7, 0]), at: index)
      pieces.insert(Encoder.audio(pieces[index].message.timestamp, []), at: index)
    }
    test.feed(pieces)
    #expect(test.playlist?.entries.map(\.duration) == [3, 3, 3])
    #expect(test.refusals.isEmpty)
  }

  // MARK: What no memory holds

  @Test(arguments: [false, true])
  func `a clock that stands still ends the publisher before it fills the memory`(hasAudio: Bool)
    throws
  {
    var configuration = StreamConfiguration()
    configuration.maximumSegmentBytes = 4 << 20
    let test = try TestStream(configuration: configuration)
    test.begin()
    test.feed(Encoder(hasAudio: hasAudio).headers)
    test.feed([Encoder.picture(40, isKeyframe: true)])
    var sent = 0
    while test.refusals.isEmpty, sent < 1_000 {
      test.feed([Encoder.picture(40, isKeyframe: false, bytes: 60_000)])
      sent += 1
    }
    #expect(sent > 50 && sent < 250)
    #expect(test.refusals.first?.hasPrefix("the encoder's clock stands still") == true)
    test.stream.interrupt()
    test.look()
    #expect(test.problems.isEmpty)
  }

  @Test func `sound without a keyframe and without a clock is not kept for ever`() throws {
    let test = try TestStream()
    test.begin()
    test.feed(Encoder().headers)
    for _ in 0..<10_000 { test.feed([Encoder.sound(0)]) }
    test.feed([Encoder.picture(0, isKeyframe: true)])
    test.feed((1...200).map { Encoder.picture(UInt32($0) * 40, isKeyframe: $0 % 25 == 0) })
    #expect(test.playlist?.entries.count == 2)
    let first = try #require(test.snapshot?.renditions[0].segments.first)
    #expect(first.byteCount < 100_000)
  }

  @Test func `an encoder that changes with every picture is ended`() throws {
    let test = try TestStream()
    test.begin()
    var other = Encoder.avc
    other[other.count - 1] ^= 1
    test.feed(Encoder(hasAudio: false).headers)
    for index in 0..<200 where test.refusals.isEmpty {
      let record = index % 2 == 0 ? other : Encoder.avc
      test.feed([
        Encoder.video(0, [0x17, 0, 0, 0, 0] + record),
        Encoder.picture(UInt32(index) * 40, isKeyframe: true),
      ])
    }
    #expect(test.refusals == ["the encoder changes its settings or its clock all the time"])
    #expect((test.playlist?.entries.count ?? 0) < 30)
    #expect(test.problems.isEmpty)
  }

  @Test func `what comes faster than a window can hold is ended`() throws {
    var configuration = StreamConfiguration()
    configuration.maximumBytes = 4 << 20
    let test = try TestStream(configuration: configuration)
    test.begin()
    var encoder = Encoder(hasAudio: false)
    encoder.pictureBytes = 2_000
    test.feed(encoder.headers + encoder.messages(seconds: 120))
    #expect(
      test.refusals == ["more comes than a live stream can be; send in real time (ffmpeg: -re)"])
    #expect(test.board[.named("w")]?.playlist?.memoryBytes ?? 0 < 5 << 20)
    #expect(test.problems.isEmpty)
  }

  @Test func `a header that can't be read ends the encoder, unless there was a good one`() throws {
    let bad = Encoder.video(0, [0x17, 0, 0, 0, 0, 1, 2, 3])
    let test = try TestStream()
    test.begin()
    test.feed([bad])
    #expect(test.refusals == ["the encoder's h264 header can't be read; restart the encoder"])
    let other = try TestStream()
    other.begin()
    let encoder = Encoder()
    other.feed(encoder.headers + [bad] + encoder.messages(seconds: 4))
    #expect(other.refusals.isEmpty)
    #expect(other.playlist?.entries.count == 1)
  }

  @Test func `publishers that come and go hold no more than one that stays`() throws {
    var configuration = StreamConfiguration()
    configuration.maximumBytes = 200_000
    let test = try TestStream(configuration: configuration)
    var encoder = Encoder()
    encoder.pictureBytes = 2_000
    for _ in 0..<12 {
      test.begin()
      test.feed(encoder.headers + encoder.messages(seconds: 1))
      test.stream.interrupt()
      test.look()
      test.pass(.seconds(2))
    }
    #expect(
      test.refusals.last == "more comes than a live stream can be; send in real time (ffmpeg: -re)")
    #expect(test.board[.named("w")]?.playlist?.memoryBytes ?? 0 < 400_000)
    #expect(test.problems.isEmpty)
  }

  @Test func `a publisher that comes and goes all the time is told to stop, for a while`() throws {
    let test = try TestStream()
    let encoder = Encoder()
    for _ in 0..<40 {
      test.begin()
      test.feed(encoder.headers + encoder.messages(seconds: 1))
      test.stream.interrupt()
      test.look()
    }
    #expect(test.refusals.last == "the encoder changes its settings or its clock all the time")
    #expect((test.playlist?.entries.count ?? 0) < 30)
    let count = test.refusals.count
    test.pass(.seconds(11))
    test.begin()
    #expect(test.refusals.count == count)
    #expect(test.problems.isEmpty)
  }
}
