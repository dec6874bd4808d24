import Events
package import Store
import Transcode

/// A recording that is over, with its document read.
package struct KeptRecording: Sendable, Equatable {
  package var record: RecordingRecord
  package var document: RecordingDocument

  init(_ record: RecordingRecord) {
    self.record = record
    document = RecordingDocument(json: record.document)
  }

  package var id: String { record.id }

  /// Its record, with what the document says.
  var current: RecordingRecord {
    var record = record
    record.bytes = Int64(document.keptBytes)
    record.document = document.json
    return record
  }

  /// What a file of it is called in the storage.
  func objectName(_ file: String) -> String { "\(record.stream.wedding)/\(id)/\(file)" }

  /// Its parts as the remux worker takes them.
  func remuxParts(in folder: RecordingFolder) -> [RemuxJob.Part] {
    var before: RecordingDocument.Part?
    return document.parts.filter { $0.bytes > 0 }.map { part in
      defer { before = part }
      return RemuxJob.Part(
        path: folder.file(part.file), startedAt: Double(part.started) / 1_000,
        continues: before?.end == PartEnd.split.code)
    }
  }

  func event(_ kind: Event.Kind, _ more: [String: EventValue]) -> Event {
    var data: [String: EventValue] = [
      "recording_id": .text(id), "quality": .text(record.quality),
    ]
    data.merge(more) { $1 }
    return Event(kind, wedding: record.stream.wedding, camera: record.stream.camera, data: data)
  }
}
