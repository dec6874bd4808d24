import EventLoop
import Glibc
import HTTPClient
import HTTPTypes
import Origin
import Testing

@testable import wedlive

@Suite struct `Line to the process before` {
  private func answer(_ status: HTTPResponse.Status, _ body: String = "") -> ElderAnswer? {
    ElderLine.answer(.success((HTTPResponse(status: status), Array(body.utf8))))
  }

  @Test func `who is gone, or doesn't know an order, does nothing`() {
    #expect(ElderLine.answer(.failure(HTTPClientError(.unreachable, "refused"))) == nil)
    #expect(answer(.notFound) == nil)
    #expect(answer(.badRequest) == nil)
  }

  @Test func `whoever may be there and says nothing of use is not taken for gone`() {
    for code in HTTPClientError.Code.allCases where code != .unreachable {
      #expect(ElderLine.answer(.failure(HTTPClientError(code, ""))) == .missing)
    }
    for status in [413, 403, 429, 500, 503, 204] {
      #expect(answer(.init(code: status)) == .missing)
    }
    #expect(answer(.ok, "{") == .missing)
    #expect(answer(.ok, #"{"count":-1,"recordings":[]}"#) == .missing)
    let done = answer(.ok, #"{"count":1,"recordings":[]}"#)
    #expect(done != nil && done != .missing)
  }

  @Test func `only of what was to be done it is said that nobody knows whether it was`() {
    let questions: [ElderOrder] = [
      .watchProgram(wedding: "w", cameras: LaterCameras(process: 1, live: []), milliseconds: 1),
      .watchCameras(after: 0, watched: [], milliseconds: 1),
    ]
    for question in questions {
      #expect(ElderLine.silence(at: question) == "the process before this one doesn't answer")
    }
    #expect(ElderLine.silence(at: .rotateKeys(wedding: "w")).hasSuffix("whether it was done"))
  }

  @Test func `a door is its process' as long as that is there`() async throws {
    let loops = try LoopGroup(count: 1)
    defer { loops.stop() }
    let (own, other) = try UpgradeLink.pair()
    let link = UpgradeLink(owning: own, on: loops.mailboxes[0])
    let door = UpgradeMessage.Door(port: 1, process: getpid(), secret: [])
    #expect(link.isAlive(behind: door))
    #expect(!link.isAlive(behind: .init(port: 1, process: 1, secret: [])))
    // Of one that doesn't say whose it is.
    #expect(link.isAlive(behind: .init(port: 1, process: nil, secret: [])))
    close(other)
    await link.end()
    #expect(!link.isAlive(behind: door))
  }
}
