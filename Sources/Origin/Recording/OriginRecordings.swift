package import ControlAPI
package import EventLoop
import Media
package import Recording
import Store
import Transcode

/// The node's recordings as the REST API and the operator ask about them.
package struct OriginRecordings: RecordingDirectory {
  private let service: RecordingService
  private let loops: [LoopMailbox]

  package init(_ service: RecordingService, loops: [LoopMailbox]) {
    self.service = service
    self.loops = loops
  }

  package func start(
    wedding: String, camera: String
  ) async throws(APIError) -> [RecordingInfo] {
    guard let key = StreamKey(wedding: wedding, camera: camera) else {
      throw APIError(RecordingError.noStream)
    }
    // Where it begins in this moment, its publisher finds the wish.
    service.desk.wish(key, isRecorded: true)
    _ = await loops.total { $0.local(OriginLoop.self)?.record(key) == true ? 1 : 0 }
    return try await infos(await service.open(of: key))
  }

  package func stop(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    guard let key = StreamKey(wedding: wedding, camera: camera) else {
      throw APIError(RecordingError.noStream)
    }
    let stopped: [String]
    do throws(RecordingError) {
      stopped = try await service.stop(key)
    } catch {
      throw APIError(error)
    }
    return try await infos(stopped)
  }

  package func complete(_ recording: String) async throws(APIError) -> RecordingInfo {
    do throws(RecordingError) {
      return RecordingInfo(try await service.complete(recording))
    } catch {
      throw APIError(error)
    }
  }

  package func recording(_ recording: String) async throws(APIError) -> RecordingInfo {
    do throws(RecordingError) {
      return RecordingInfo(try await service.recording(recording))
    } catch {
      throw APIError(error)
    }
  }

  package func recordings(
    ofWedding wedding: String
  ) async throws(APIError) -> [RecordingInfo] {
    do throws(RecordingError) {
      return try await service.recordings(ofWedding: wedding).map { RecordingInfo($0) }
    } catch {
      throw APIError(error)
    }
  }

  package func delete(_ recording: String) async throws(APIError) -> RecordingRemoval {
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
    do throws(RecordingError) {
      for id in ids { infos.append(RecordingInfo(try await service.recording(id))) }
    } catch {
      throw APIError(error)
    }
    return infos
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
