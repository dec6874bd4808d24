import Events
import Logging
import Storage
import Store
import Telemetry
import Transcode

extension RecordingService {
  func remux(
    _ recording: inout KeptRecording, _ job: inout JobRecord
  ) async throws(StepFailure) {
    let folder = folder(recording.id)
    var order = RemuxJob(parts: recording.remuxParts(in: folder))
    guard !order.parts.isEmpty else {
      throw .final(code: "no_media", recording.document.reason ?? "nothing was recorded")
    }
    order.limits.niceness = 10
    let id = recording.id
    let result: RemuxResult
    do throws(RemuxError) {
      result = try await parts.remux(order, folder.path) { [self] value in
        Task { await note(progress: value, of: id) }
      }
    } catch {
      if error.code == .cancelled { throw .cancelled }
      throw error.canRetry
        ? .retry(code: error.code.rawValue, error.message)
        : .final(code: error.code.rawValue, error.message)
    }
    do throws(DiskError) {
      try await take(result, into: &recording, folder)
    } catch {
      throw .retry(code: error.isForRoom ? "full" : "disk", "\(error)")
    }
    if parts.storage == nil {
      recording.record.state = .completed
      try await keep(recording, job)
      complete(recording)
      await drop(job)
    } else {
      try await advance(recording, &job, to: .upload)
      shelf.put(recording, folder: folder)
    }
  }

  func note(progress value: Double, of id: String) {
    if waitingJobs[id] != nil { progress[id] = value }
  }

  /// Notes what was made, and writes the playlist of it.
  private func take(
    _ result: RemuxResult, into recording: inout KeptRecording, _ folder: RecordingFolder
  ) async throws(DiskError) {
    var products: [RecordingDocument.Product] = []
    func add(_ file: String, _ bytes: Int, _ type: String) {
      products.append(.init(file: file, bytes: bytes, contentType: type))
    }
    for movie in result.movies {
      add(movie.file, movie.bytes, "video/mp4")
      if let playback = movie.playback { add(playback.file, playback.bytes, "video/mp4") }
    }
    if let playlist = RecordingPlaylist.text(result.movies) {
      let outcome = await Self.onDisk {
        Result { () throws(DiskError) in
          try folder.write(Array(playlist.utf8), RecordingPlaylist.file)
        }
      }
      try outcome.get()
      add(RecordingPlaylist.file, playlist.utf8.count, "application/vnd.apple.mpegurl")
    }
    for picture in result.thumbnails { add(picture.file, picture.bytes, "image/jpeg") }
    if let sprite = result.sprite {
      add(sprite.file, sprite.bytes, "image/jpeg")
      add(sprite.index, folder.bytes(of: sprite.index) ?? 0, "text/vtt")
    }
    if !result.leftOut.isEmpty {
      // Something of the parts is not in the movies, so they are kept, too.
      for part in recording.document.parts where part.bytes > 0 {
        add(part.file, part.bytes, "video/x-flv")
      }
    }
    var result = result
    for index in result.movies.indices { result.movies[index].playback?.segments = [] }
    recording.document.result = result
    recording.document.products = products
  }

  /// It can be watched from where it is kept.
  func complete(_ recording: KeptRecording) {
    giveBack(recording.id, ofWedding: recording.record.stream.wedding)
    shelf.put(recording, folder: folder(recording.id))
    parts.metrics.ended("completed")
    parts.events.publish(
      recording.event(
        .recordingCompleted,
        [
          "duration": .integer(Int64(Double(recording.document.milliseconds) / 1_000)),
          "file_size": .integer(Int64(recording.document.result?.bytes ?? 0)),
          "cdn_url": .text(address(of: recording)),
        ]))
    parts.logger.info(
      "recording.completed",
      metadata: [
        "recording": "\(recording.id)", "wedding": "\(recording.record.stream.wedding)",
        "seconds": "\(recording.document.milliseconds / 1_000)",
        "bytes": "\(recording.document.keptBytes)",
      ])
    Task { [self] in await makeRoom(for: recording) }
  }

  /// Where people find its movie: at the storage, or here.
  func address(of recording: KeptRecording) -> String {
    guard let movie = recording.document.result?.movies.first?.file else { return "" }
    let product = recording.document.products.first { $0.file == movie }
    return product?.object.flatMap { parts.storage?.address($0) }
      ?? address(of: movie, recording)
  }

  /// Where this node has a file of it for viewers.
  func address(of file: String, _ recording: KeptRecording) -> String {
    "\(configuration.web)/hls/\(recording.record.stream.wedding)/recordings/\(recording.id)/\(file)"
  }
}
