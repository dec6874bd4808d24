import Events
import Logging
import Media
import Store

// What others hear of recordings that are open.
extension RecordingService {
  func tell(
    _ kind: Event.Kind, _ recording: OpenRecording, _ more: [String: EventValue] = [:]
  ) {
    var data: [String: EventValue] = [
      "recording_id": .text(recording.record.id), "quality": .text(recording.name.quality),
    ]
    data.merge(more) { $1 }
    parts.events.publish(
      Event(
        kind, wedding: recording.name.stream.wedding, camera: recording.name.stream.camera,
        data: data))
  }

  func tell(fault: PartEnd, _ name: OpenRecording.Name, id: String?) {
    var data: [String: EventValue] = [
      "code": .text("recording_\(fault.code)"), "message": .text(fault.description),
      "quality": .text(name.quality),
    ]
    if let id { data["recording_id"] = .text(id) }
    parts.events.publish(
      Event(
        .errorOccurred, wedding: name.stream.wedding, camera: name.stream.camera, data: data))
  }

  func metadata(
    _ name: OpenRecording.Name, _ more: Logger.Metadata
  ) -> Logger.Metadata {
    let known: Logger.Metadata = [
      "wedding": "\(name.stream.wedding)", "camera": "\(name.stream.camera)",
      "quality": "\(name.quality)",
    ]
    return known.merging(more) { $1 }
  }

  func log(
    _ level: Logger.Level, _ event: Logger.Message, _ recording: OpenRecording,
    _ more: Logger.Metadata = [:]
  ) {
    var more = more
    more["recording"] = "\(recording.record.id)"
    parts.logger.log(level: level, event, metadata: metadata(recording.name, more))
  }
}
