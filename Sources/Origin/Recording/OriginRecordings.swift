import Access
package import ControlAPI
package import EventLoop
package import Media
package import Recording
import Store
import Transcode

/// The node's recordings as the REST API and the operator ask about them.
package struct OriginRecordings: RecordingDirectory {
  private let service: RecordingService
  private let loops: [LoopMailbox]
  private let orders: RecordingOrders
  private let elders: ElderHands?

  /// - Parameters:
  ///   - service: writes them.
  ///   - loops: that publishers are on.
  ///   - orders: what was ordered; in memory alone, unless given.
  ///   - elders: processes before this one, which write some of their own; nil where there are
  ///     none.
  package init(
    _ service: RecordingService, loops: [LoopMailbox], orders: RecordingOrders? = nil,
    elders: ElderHands? = nil
  ) {
    self.service = service
    self.orders = orders ?? RecordingOrders(service.desk, store: MemoryRecordingOrders())
    self.loops = loops
    self.elders = elders
  }

  /// Whether this process writes a recording, or does something with it.
  func has(_ recording: String) async -> Bool { await service.has(recording) }

  package func start(
    wedding: String, camera: String
  ) async throws(APIError) -> [RecordingInfo] {
    // No stream of its own has the program's name: what is shown is recorded as its cameras.
    guard let key = StreamKey(wedding: wedding, camera: camera),
      !Claims.reservedCameras.contains(camera)
    else { throw APIError(RecordingError.noStream) }
    // Where it begins in this moment, here or elsewhere, its publisher finds the order.
    await orders.order(true, of: key)
    _ = await loops.total { $0.local(OriginLoop.self)?.record(key) == true ? 1 : 0 }
    var open = await service.open(of: key)
    if open.isEmpty, let elders {
      let (answers, refusal) = await elders.done(
        .startRecording(wedding: wedding, camera: camera))
      if let refusal { throw refusal.error }
      open = answers.flatMap(\.recordings)
    }
    return try await infos(open)
  }

  package func stop(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    guard let key = StreamKey(wedding: wedding, camera: camera) else {
      throw APIError(RecordingError.noStream)
    }
    let answers = await elders?.ask(.stopRecording(wedding: wedding, camera: camera)) ?? []
    let stopped = try await orders.stop(key) { () async throws(APIError) -> [String] in
      do throws(RecordingError) {
        return try await service.stop(key)
      } catch {
        // One that nothing was recorded of here may have been wanted, or recorded, there.
        if error == .notRecording, answers.contains(where: { $0.refusal == nil }) { return [] }
        let refusals = answers.lazy.compactMap(\.refusal)
        throw refusals.first { $0.code == ElderAnswer.Refusal.noAnswer }?.error ?? APIError(error)
      }
    }
    return try await infos(stopped + answers.flatMap(\.recordings))
  }

  /// Takes up what was ordered elsewhere of streams that are here, or were asked for here, or are
  /// just beginning.
  ///
  /// - Parameters:
  ///   - wedding: whose; nil for all.
  ///   - live: the streams that are on the air here.
  package func refresh(_ wedding: String?, live: [StreamKey]) async {
    for key in await orders.refresh(wedding, live: live) {
      switch service.desk.order(of: key) {
      case true?: _ = await loops.total { $0.local(OriginLoop.self)?.record(key) == true ? 1 : 0 }
      case false?: _ = try? await service.stop(key)
      case nil: break
      }
    }
  }

  package func complete(_ recording: String) async throws(APIError) -> RecordingInfo {
    let elders = await elders?.done(.completeRecording(recording))
    if let refusal = elders?.refusal { throw refusal.error }
    if elders?.answers.contains(where: { $0.count > 0 }) == true {
      return try await self.recording(recording)
    }
    do throws(RecordingError) {
      return RecordingInfo(try await service.complete(recording))
    } catch {
      throw APIError(error)
    }
  }

  package func recording(_ recording: String) async throws(APIError) -> RecordingInfo {
    let elders = await elderRecordings()
    do throws(RecordingError) {
      return elders.grown(RecordingInfo(try await service.recording(recording)))
    } catch {
      throw APIError(error)
    }
  }

  package func recordings(
    ofWedding wedding: String
  ) async throws(APIError) -> [RecordingInfo] {
    let elders = await elderRecordings()
    do throws(RecordingError) {
      return try await service.recordings(ofWedding: wedding).map {
        elders.grown(RecordingInfo($0))
      }
    } catch {
      throw APIError(error)
    }
  }

  package func delete(_ recording: String) async throws(APIError) -> RecordingRemoval {
    let elders = await elders?.done(.deleteRecording(recording))
    if let refusal = elders?.refusal { throw refusal.error }
    if let answer = elders?.answers.first(where: { $0.count > 0 }) {
      service.shelf.forget(recording)
      return answer.recordings.isEmpty ? .deleted : .underWay(nil)
    }
    do throws(RecordingError) {
      switch try await service.delete(recording) {
      case .deleted: return .deleted
      case .underWay(let why): return .underWay(why)
      }
    } catch {
      throw APIError(error)
    }
  }

  private func infos(_ ids: [String]) async throws(APIError) -> [RecordingInfo] {
    var infos: [RecordingInfo] = []
    for id in ids { infos.append(try await recording(id)) }
    return infos
  }

  private func elderRecordings() async -> ElderRecordings {
    ElderRecordings(await elders?.statuses() ?? [])
  }
}

extension APIError {
  init(_ error: RecordingError) {
    let status =
      switch error {
      case .unknown, .notRecording: 404
      case .isRecording: 409
      case .noStream: 400
      case .records: 503
      }
    self.init(status, error.code, "\(error)")
  }
}
