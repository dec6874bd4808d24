import Foundation
import HLS
import Media
import TestSupport
import Testing
import Viewers

@testable import Origin

@Suite struct `Cameras of processes before this one` {
  private let key = StreamKey.named("w", "a")
  private let info = VariantInfo(
    bandwidth: 1_000, averageBandwidth: 900, codecs: ["avc1.64001f"], size: nil, frameRate: 30)

  private func segment(_ number: Int, _ rendition: String = "source") -> (String, Segment) {
    (rendition, .sample(number, at: Int64(number) * 1_000))
  }

  private func offers(_ interest: RenditionInterest? = nil) -> [ProgramOffer] {
    [("source", 0, nil), ("240p", 1, interest)].map { name, rank, interest in
      ProgramOffer(
        name: name, rank: rank, first: 0, viewers: .max, info: info, interest: interest)
    }
  }

  /// What is told of a camera whose source has these numbers.
  private func camera(
    _ numbers: Int..., key: StreamKey? = nil, round: Int = 1, isOpen: Bool = true
  ) -> ElderCamera {
    ElderCamera(
      key: key ?? self.key, round: round, isLive: !numbers.isEmpty, isOpen: isOpen,
      pieces: numbers.map { ElderCamera.Piece(segment($0).1, rendition: "source") })
  }

  // MARK: What is told

  @Test func `what has changed is told by its number, and its newest segments`() {
    var told = ToldCameras()
    told.take(.began, of: key)
    for number in 1...4 {
      told.take(
        .segments([segment(number, "240p"), segment(number)], offers: offers()), of: key)
    }
    let first = told.news(after: 0)
    #expect(first.map(\.key) == [key])
    #expect(first[0].isLive)
    #expect(first[0].pieces.map(\.sequence) == [2, 2, 3, 3, 4, 4])
    #expect(first[0].pieces.prefix(2).map(\.rendition) == ["source", "240p"])
    #expect(told.news(after: told.number) == [])
    let known = told.number
    told.take(.began, of: .named("w", "b"))
    #expect(told.news(after: known).map(\.key.camera) == ["b"])
    #expect(told.live(in: "w") == ["a"])
    told.take(.lost, of: key)
    #expect(told.live(in: "w") == [])
    #expect(told.news(after: known).map(\.key.camera) == ["b", "a"])
    told.take(.over, of: key)
    #expect(told.news(after: known).last?.isOpen == false)
  }

  @Test func `one that is gone is told to who asks, and forgotten where nobody does`() {
    var told = ToldCameras()
    told.take(.segments([segment(1)], offers: offers()), of: key)
    told.take(.gone, of: key)
    #expect(told.news(after: 0) == [])
    told.take(.segments([segment(1)], offers: offers()), of: key)
    told.take(.gone, of: key)
    #expect(told.news(after: 0).map(\.isThere) == [false])
  }

  @Test func `a rung that comes late makes no camera live that is lost or over`() {
    var told = ToldCameras()
    told.take(.segments([segment(1)], offers: offers()), of: key)
    told.take(.over, of: key)
    told.take(.segments([segment(1, "240p")], offers: offers()), of: key)
    #expect(told.news(after: 0).map(\.isLive) == [false])
    #expect(told.news(after: 0).map(\.isOpen) == [false])
  }

  @Test func `who watches it by way of a later process is noted where it is made`() {
    var told = ToldCameras()
    let interest = RenditionInterest()
    told.take(.segments([segment(1)], offers: offers(interest)), of: key)
    told.note(watched: ["", "w/a", "w/b/240p", "w/a/720p", "w/a/source"], second: 5)
    #expect(!interest.isFresh(within: 1, now: 5))
    told.note(watched: ["w/a/240p"], second: 5)
    #expect(interest.isFresh(within: 1, now: 5))
  }

  @Test func `news is read as it was written, and what no stream has is none`() throws {
    var told = ToldCameras()
    let sealed = Segment.sample(7, at: 9_000, key: SegmentKey(uri: "/k", vector: 3))
    told.take(.segments([("source", sealed)], offers: offers()), of: key)
    var answer = ElderAnswer(
      news: .init(number: 2, cameras: told.news(after: 0), programs: ["w"]))
    #expect(ElderAnswer.read(Array(try JSONEncoder().encode(answer))) == answer)
    let made = try #require(answer.news?.cameras[0].pieces[0]).segment([1])
    #expect(made.key == sealed.key)
    #expect(made.name == sealed.name)
    #expect(made.duration == sealed.duration)
    #expect(made.programDate == 9_000)
    let breaks: [(inout ElderCamera) -> Void] = [
      { $0.pieces[0].sequence = -1 }, { $0.pieces[0].ticks = .max },
      { $0.pieces[0].ticks = -1 }, { $0.pieces[0].name = "../x" },
      { $0.pieces[0].rendition = "" }, { $0.pieces[0].byteCount = 0 },
      { $0.pieces[0].byteCount = .max }, { $0.pieces[0].targetDuration = 0 },
      { $0.pieces[0].programDate = .max }, { $0.pieces[0].vector = -1 },
      { $0.offers[0].rank = -1 }, { $0.offers[0].first = -1 },
    ]
    for each in breaks {
      var camera = told.news(after: 0)[0]
      each(&camera)
      answer.news?.cameras = [camera]
      #expect(ElderAnswer.read(Array(try JSONEncoder().encode(answer))) == nil)
    }
  }

  // MARK: What a program here hears

  @Test func `a program is told the newest segment, and each one after that once`() {
    var view = GuestView()
    let pieces = camera(1, 2, 3).pieces
    #expect(view.take(camera(1, 2, 3), isShown: true) == [.began, .show([pieces[2]])])
    #expect(view.take(camera(1, 2, 3), isShown: true) == [])
    let later = camera(3, 4, 5).pieces
    #expect(
      view.take(camera(3, 4, 5), isShown: true) == [.show([later[1]]), .show([later[2]])])
    var rung = camera(4, 5)
    rung.pieces.append(ElderCamera.Piece(segment(4, "240p").1, rendition: "240p"))
    #expect(view.take(rung, isShown: true) == [.show([rung.pieces[2]])])
    #expect(view.take(camera(), isShown: true) == [.lost])
    #expect(view.take(camera(isOpen: false), isShown: true) == [.over])
    #expect(view.take(nil, isShown: true) == [.gone])
    #expect(view.take(nil, isShown: true) == [])
  }

  @Test func `a program that was left is told what it has yet to show`() {
    let pieces = camera(1, 2, 3).pieces
    for (last, first) in [(0, 0), (1, 1), (2, 2), (3, 2), (9, 2)] {
      var view = GuestView()
      let steps = view.take(camera(1, 2, 3), isShown: true, after: last)
      #expect(steps == [.began] + pieces[first...].map { .show([$0]) }, "\(last)")
    }
  }

  @Test func `another publisher of it begins anew`() {
    var view = GuestView()
    _ = view.take(camera(1), isShown: true)
    let next = camera(2, round: 2)
    #expect(view.take(next, isShown: true) == [.lost, .began, .show(next.pieces)])
  }

  @Test func `nothing is fetched where the program is elsewhere`() {
    var view = GuestView()
    #expect(view.take(camera(1), isShown: false) == [.began, .live])
    #expect(view.take(camera(1, 2), isShown: false) == [])
    #expect(view.take(camera(), isShown: false) == [.lost])
    #expect(view.take(camera(4), isShown: false) == [.live])
  }

  // MARK: Whose program it is

  @Test func `a program is wanted here for cameras that aren't with who has it`() {
    let book = ElderBook()
    book.expect([1, 2])
    book.take([camera(1)], programs: ["w"], of: 1)
    // The other one has not said anything yet, and may have it.
    #expect(book.hosted(isKept: false) == [])
    book.take([], programs: [], of: 2)
    #expect(book.hosted(isKept: false) == [])
    book.take([camera(1, key: .named("w", "b"))], programs: [], of: 2)
    #expect(book.hosted(isKept: false) == ["w"])
    book.take([], programs: ["w"], of: 2)
    // Now the first one's camera is the one that is elsewhere.
    book.take([], programs: [], of: 1)
    #expect(book.hosted(isKept: false) == ["w"])
    book.take([camera(isOpen: false)], programs: [], of: 1)
    #expect(book.hosted(isKept: false) == [])
    #expect(book.hosted(isKept: true) == ["w"])
  }

  @Test func `cameras of a process that has ended are lost, then over, then gone`() {
    let book = ElderBook()
    book.take([camera(1)], programs: ["w"], of: 1)
    #expect(book.isLive(key))
    #expect(book.end(1, .lost) == [key])
    #expect(book.camera(key)?.camera.isOpen == true)
    #expect(!book.isLive(key))
    #expect(book.hosted(isKept: false) == ["w"])
    _ = book.end(1, .over)
    #expect(book.camera(key)?.camera.isOpen == false)
    _ = book.end(1, .gone)
    #expect(book.camera(key) == nil)
    #expect(book.hosted(isKept: true) == [])
  }

  @Test func `of two that know a camera the one counts where it is live`() {
    let book = ElderBook()
    book.take([camera()], programs: [], of: 1)
    book.take([camera(2)], programs: [], of: 2)
    #expect(book.camera(key)?.process == 2)
    book.take([camera(isOpen: false)], programs: [], of: 2)
    #expect(book.camera(key)?.process == 1)
    #expect(book.cameras(of: "w") == [key])
  }
}
