package import ControlAPI
package import Recording
import Store
import Transcode

extension RecordingInfo {
  package init(_ view: RecordingView) {
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
