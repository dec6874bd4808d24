import ControlAPI
package import EventLoop
import Foundation
package import HTTPServer
import HTTPTypes
import Media
import Store

/// What a process that was replaced does for the one that is the node now.
///
/// Its streams, their publishers and recordings are here, and who asks for something asks there.
package struct ElderDuties: Sendable {
  private let loops: [LoopMailbox]
  private let node: OriginNode
  private let recordings: OriginRecordings
  private let keys: OriginKeys?
  private let cameras: OriginCameras

  /// - Parameters:
  ///   - node: has its streams.
  ///   - loops: that their publishers are on.
  ///   - recordings: of the same.
  ///   - keys: of the same; nil where segments aren't encrypted.
  ///   - cameras: of the weddings.
  package init(
    node: OriginNode, loops: [LoopMailbox], recordings: OriginRecordings, keys: OriginKeys?,
    cameras: OriginCameras
  ) {
    self.node = node
    self.loops = loops
    self.recordings = recordings
    self.keys = keys
    self.cameras = cameras
  }

  /// `POST` of an order as JSON, answered with what was done.
  package var call: APICall {
    APICall(bodyLimit: 256 << 10) { request in
      guard let order = try? JSONDecoder().decode(ElderOrder.self, from: Data(request.body)) else {
        return .error(
          .badRequest, code: "unknown_order", message: "This process knows no such order.")
      }
      guard let json = try? JSONEncoder().encode(await perform(order)) else {
        return .json(.internalServerError, [])
      }
      return .json(.ok, Array(json))
    }
  }

  /// Does what it is told.
  func perform(_ order: ElderOrder) async -> ElderAnswer {
    do throws(APIError) {
      return try await carryOut(order)
    } catch {
      return ElderAnswer(refusal: ElderAnswer.Refusal(error))
    }
  }

  private func carryOut(_ order: ElderOrder) async throws(APIError) -> ElderAnswer {
    switch order {
    case .yield(let key, let token, let priority, let isAdmitted, let cameras):
      do throws(ClaimRefusal) {
        let progress = try await node.yield(
          key, to: token, priority, isAdmitted: isAdmitted, cameras: cameras)
        return ElderAnswer(
          count: progress == nil ? 0 : 1,
          progress: progress.map { progress in
            ElderAnswer.Progress(
              state: progress.state, camera: progress.camera, chosen: progress.chosen,
              shown: progress.shown, broadcast: progress.broadcast)
          })
      } catch {
        throw APIError(
          409, error == .onAir ? ElderAnswer.Refusal.onAir : "taken", "\(error)")
      }
    case .watchProgram(let wedding, let cameras, let milliseconds):
      let isHere = await node.programs.watch(
        wedding, for: cameras, atMost: .milliseconds(max(0, min(milliseconds, 60_000))))
      return ElderAnswer(count: isHere ? 1 : 0)
    case .watchCameras(let known, let watched, let milliseconds):
      node.programs.note(watched: watched)
      let (number, cameras, programs) = await node.programs.news(
        after: known, atMost: .milliseconds(max(0, min(milliseconds, 60_000))))
      return ElderAnswer(
        news: ElderAnswer.News(number: number, cameras: cameras, programs: programs.sorted()))
    case .drop(let selection):
      return ElderAnswer(
        count: await loops.total { $0.local(OriginLoop.self)?.drop(selection) ?? 0 })
    case .rotateKeys(let wedding):
      return ElderAnswer(count: try await keys?.rotate(wedding: wedding) ?? 0)
    case .startRecording(let wedding, let camera):
      guard let key = StreamKey(wedding: wedding, camera: camera),
        node.board[key]?.state == .live
      else { return ElderAnswer() }
      let begun = try await recordings.start(wedding: wedding, camera: camera)
      return ElderAnswer(count: 1, recordings: begun.map(\.recordingId))
    case .stopRecording(let wedding, let camera):
      let ended = try await recordings.stop(wedding: wedding, camera: camera)
      return ElderAnswer(count: 1, recordings: ended.map(\.recordingId))
    case .completeRecording(let id):
      guard await recordings.has(id) else { return ElderAnswer() }
      return ElderAnswer(count: 1, recordings: [try await recordings.complete(id).recordingId])
    case .deleteRecording(let id):
      guard await recordings.has(id) else { return ElderAnswer() }
      switch try await recordings.delete(id) {
      case .deleted: return ElderAnswer(count: 1)
      case .underWay: return ElderAnswer(count: 1, recordings: [id])
      }
    case .refreshCameras(let wedding):
      do throws(StoreError) {
        try await cameras.refresh(wedding, isDecided: true)
      } catch {
        throw APIError(503, "records_unavailable", "The cameras can't be read: \(error)")
      }
      return ElderAnswer(count: 1)
    }
  }
}
