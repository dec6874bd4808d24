import Access
import ControlAPI
import Foundation
import HTTPTypes
import Testing

/// A queue of purges that no CDN has.
private struct EdgesAlone: PurgeDirectory {
  func purge(
    _ wedding: String, _ target: PurgeTarget, isSoft: Bool, reason: String
  ) async throws(APIError) {}

  func status() async throws(APIError) -> PurgeQueueInfo { PurgeQueueInfo() }
}

extension `Control API` {
  @Test func `a queue of purges has all its fields, also those that say nothing`() async throws {
    let service = try token(.service, wedding: nil)
    let answer = try await send(
      .get, "/api/streams/purges", bearer: service, api: api(purges: EdgesAlone()))
    #expect(answer.status == 200)
    let nothing = ["provider", "node", "oldest_seconds", "last_error", "last_error_at"]
    #expect(nothing.allSatisfy { answer.object[$0] is NSNull })
    let counts = ["queued", "waiting_here", "sent", "failed"]
    #expect(counts.allSatisfy { answer.object[$0] as? Int == 0 })
    #expect((answer.object["failures"] as? [Any])?.isEmpty == true)
    #expect(answer.object.count == nothing.count + counts.count + 1)
  }
}
