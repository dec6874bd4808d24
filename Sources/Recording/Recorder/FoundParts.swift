import Logging

/// The parts that a process finds of a recording which the one before it has left.
enum FoundParts {
  /// The parts of a folder in the order in which they came, made whole where nobody has ended them.
  ///
  /// - Parameters:
  ///   - known: what the record says of them.
  ///   - folder: where they stand.
  ///   - logger: told of what was cut.
  /// - Returns: those that hold anything.
  /// - Throws: why the folder can't be read.
  static func repaired(
    _ known: [RecordingDocument.Part], in folder: RecordingFolder, _ logger: Logger
  ) throws(DiskError) -> [RecordingDocument.Part] {
    let files = try folder.parts()
    return ordered(known, folder.list.lines, files).compactMap { file, part in
      if let part, part.ended != nil { return part }
      return repaired(file, part, in: folder, logger)
    }
  }

  /// The files in their order, with what is known of each.
  ///
  /// The list has them all, but those of older versions. The record has them in the same order, as
  /// far as it came; names are the last resort.
  private static func ordered(
    _ known: [RecordingDocument.Part], _ lines: [PartList.Line], _ files: Set<String>
  ) -> [(file: String, part: RecordingDocument.Part?)] {
    var document = RecordingDocument()
    document.parts = known.filter { files.contains($0.file) }
    var seen = Set(document.parts.map(\.file))
    for line in lines where files.contains(line.file) && seen.insert(line.file).inserted {
      document.insert(
        RecordingDocument.Part(file: line.file, started: line.started, run: line.run))
    }
    return document.parts.map { ($0.file, $0) }
      + files.subtracting(seen).sorted().map { ($0, nil) }
  }

  /// Cuts a file that nobody has ended after its last whole tag.
  ///
  /// - Returns: nil where it holds nothing; it is gone then.
  private static func repaired(
    _ file: String, _ known: RecordingDocument.Part?, in folder: RecordingFolder, _ logger: Logger
  ) -> RecordingDocument.Part? {
    // Before it is cut: that is writing, too.
    let written = folder.written(file)
    var bytes = 0
    var milliseconds: Int64 = 0
    do throws(DiskError) {
      let outcome = try FLVRecovery.repair(folder.file(file))
      if outcome.bytes == 0 {
        try folder.remove([file])
        return nil
      }
      bytes = outcome.bytes
      milliseconds = outcome.milliseconds
      logger.notice(
        "recording.repaired",
        metadata: ["file": "\(folder.file(file))", "cut_bytes": "\(outcome.lostBytes)"])
    } catch {
      logger.error("recording part not read", metadata: ["error": "\(error)"])
      bytes = folder.bytes(of: file) ?? 0
    }
    // What nothing says of one: its last message came when it was written last.
    var part =
      known
      ?? RecordingDocument.Part(
        file: file, started: (written ?? 0) - milliseconds)
    part.bytes = bytes
    part.milliseconds = milliseconds
    part.ended = part.started + milliseconds
    part.end = PartEnd.interrupted.code
    return part
  }
}
