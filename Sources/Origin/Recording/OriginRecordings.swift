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
      throw APIError(RecordingError.notLive)
    }
    service.desk.wish(key, isRecorded: true)
    let count = await loops.total { $0.local(OriginLoop.self)?.record(key) == true ? 1 : 0 }
    guard count > 0 else {
      service.desk.forget(key)
      throw APIError(RecordingError.notLive)
    }
    return try await infos(await service.open(of: key))
  }

  package func stop(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    guard let key = StreamKey(wedding: wedding, camera: camera) else {
      throw APIError(RecordingError.notRecording)
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
      let known = try await service.recording(recording)
      guard known.record.state == .recording,
        let key = StreamKey(
          wedding: known.record.stream.wedding, camera: known.record.stream.camera)
      else { return RecordingInfo(try await service.retry(recording)) }
      _ = try await service.stop(key)
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
      case .unknown, .notLive, .notRecording: 404
      case .isRecording: 409
      case .noSuchQuality: 400
      case .records: 503
      }
    self.init(status, error.code, "\(error)")
  }
}

extension RecordingInfo {
  init(_ view: RecordingView) {
    let record = view.record
    let document = view.document
    let result = document.result
    self.init(
      recordingId: record.id, weddingId: record.stream.wedding, cameraId: record.stream.camera,
      quality: record.quality, state: record.state.rawValue, startedAt: record.started / 1_000,
      endedAt: record.ended.map { $0 / 1_000 },
      duration: Double(document.milliseconds) / 1_000,
      fileSize: Int64(result?.bytes ?? document.partBytes))
    if !view.address.isEmpty, record.state == .completed { cdnUrl = view.address }
    if !view.playback.isEmpty, record.state != .deleting {
      playbackUrl = view.playback
      let base = view.playback.dropLast(RecordingPlaylist.file.utf8.count)
      thumbnails = result?.thumbnails.map { base + $0.file } ?? []
      spriteUrl = result?.sprite.map { base + $0.file }
      spriteIndexUrl = result?.sprite.map { base + $0.index }
    }
    if let movie = result?.movies.first {
      video = movie.video.map {
        Video(
          codec: $0.codec, width: $0.width, height: $0.height, frameRate: $0.frameRate,
          bitrate: $0.bitrate)
      }
      audio = movie.audio.map {
        Audio(
          codec: $0.codec, sampleRate: $0.sampleRate, channels: $0.channels, bitrate: $0.bitrate)
      }
    }
    gaps =
      result?.gaps.map { Gap(at: $0.at, seconds: $0.seconds, reason: $0.reason.rawValue) } ?? []
    parts = document.parts.count
    code = document.code
    reason = document.reason
    step = view.step
    progress = view.progress
    attempts = view.attempts > 0 ? view.attempts : nil
    error = view.failure
    retryAt = view.retryAt.map { $0 / 1_000 }
    leftOut = result.flatMap { $0.leftOut.isEmpty ? nil : $0.leftOut }
  }
}
