import Access
import Bytes
import HTTPSemantics
import HTTPServer
import Media
import Recording

extension ViewerHandler {
  /// What an address under `/hls/` names.
  enum Found {
    case master(Place)
    case playlist(Place, rendition: Int)
    case coming(Place, ComingRendition)
    case lacking(Place, PreparedResponse)
    case segment(Place, rendition: Int, SegmentResponse.Source)
    case missingSegment
    case pastSegment
    /// A playlist of a stream that isn't in the table, and that another node may have.
    case remotePlaylist(StreamKey, isProgram: Bool)
    /// A segment of a stream that another node may have.
    case remoteSegment(StreamKey, rendition: String)
    case remoteOther
    case recording(RecordingShelf.Entry, file: String)
    case nothing
  }

  /// A stream, and by which address it was asked for.
  struct Place {
    let slot: StreamTable.Slot
    /// By the program's, which may be the main camera's stream or one of its own.
    let isProgram: Bool

    var snapshot: StreamSnapshot { slot.snapshot }
  }

  /// How many segments another node may be ahead of what is known here, or have from before it.
  private static var leeway: Int { 64 }

  // MARK: Finding

  func find(_ path: borrowing Span<UInt8>) -> Found {
    guard let address = ViewerPath(path) else { return .nothing }
    if let recording = recording(address, path) { return recording }
    let end = address.camera?.upperBound ?? address.wedding.upperBound
    guard let slot = table.slot(path.extracting(0..<end)) else {
      return remote == nil ? .nothing : unknown(address, path)
    }
    let isProgram = address.camera.map { path.extracting($0).matches(Self.programName) } ?? true
    let place = Place(slot: slot, isProgram: isProgram)
    let isIndex = path.extracting(address.file).matches("index.m3u8")
    guard let name = address.rendition else { return isIndex ? .master(place) : .nothing }
    let renditions = slot.snapshot.renditions
    for index in renditions.indices {
      guard path.extracting(name).matches(renditions[index].name) else { continue }
      if isIndex { return .playlist(place, rendition: index) }
      let file = path.extracting(address.file)
      if let response = renditions[index].segment(file) {
        return .segment(place, rendition: index, response)
      }
      return missing(file, of: index, place)
    }
    guard isIndex else { return slot.snapshot.version == 0 ? unknown(address, path) : .nothing }
    if !slot.snapshot.isOver {
      for coming in slot.snapshot.coming {
        if path.extracting(name).matches(coming.name) { return .coming(place, coming) }
        guard slot.snapshot.version == 0 else { continue }
        // Nothing is known of it yet, so it may be any.
        let asked = Array(copying: path.extracting(name))
        return .coming(place, ComingRendition(name: asked, viewers: coming.viewers))
      }
    }
    for lacking in slot.snapshot.lacking where path.extracting(name).matches(lacking.name) {
      return .lacking(place, lacking.response)
    }
    return .lacking(place, slot.snapshot.noQuality)
  }

  /// A segment that isn't in the table: behind it, ahead of it, or never to be.
  private func missing(
    _ file: borrowing Span<UInt8>, of index: Int, _ place: Place
  ) -> Found {
    let rendition = place.snapshot.renditions[index]
    guard let sequence = RenditionSnapshot.sequence(file) else { return .missingSegment }
    // Other edges may still have what this one never had, so that a little behind isn't gone.
    if let first = rendition.segments.first?.sequence, sequence < first - Self.leeway {
      return .pastSegment
    }
    // Its node may have announced it to others already.
    let ahead = rendition.nextSequence..<rendition.nextSequence + Self.leeway
    return remote != nil && !place.snapshot.isOver && ahead.contains(sequence)
      ? .segment(place, rendition: index, .elsewhere) : .missingSegment
  }

  /// What a stream is asked for that isn't in the table.
  private func unknown(_ address: ViewerPath, _ path: borrowing Span<UInt8>) -> Found {
    if let camera = address.camera, path.extracting(camera).matches(RecordingSite.folderBytes) {
      return .remoteOther
    }
    if path.extracting(address.file).matches("index.m3u8") {
      if address.camera != nil {
        guard let key = address.key(in: path) else { return .nothing }
        return .remotePlaylist(key, isProgram: key.camera == Claims.programCamera)
      }
      let wedding = String(copying: path.extracting(address.wedding))
      return StreamKey(wedding: wedding, camera: Claims.programCamera)
        .map { .remotePlaylist($0, isProgram: true) } ?? .nothing
    }
    guard let rendition = address.rendition, let key = address.key(in: path),
      RenditionSnapshot.sequence(path.extracting(address.file)) != nil
    else { return .nothing }
    return .remoteSegment(key, rendition: String(copying: path.extracting(rendition)))
  }

  /// The file of a recording whose address it is; nil for all other addresses.
  private func recording(_ address: ViewerPath, _ path: borrowing Span<UInt8>) -> Found? {
    guard let recordings, let folder = address.camera, let id = address.rendition,
      path.extracting(folder).matches(RecordingSite.folderBytes),
      let entry = recordings.shelf.entry(String(copying: path.extracting(id))),
      path.extracting(address.wedding).matches(Array(entry.wedding.utf8))
    else { return nil }
    return .recording(entry, file: String(copying: path.extracting(address.file)))
  }

  /// The stream whose playlist is asked for, the wedding's program where no camera is named; nil
  /// where the address is none of a playlist.
  func playlist(of request: borrowing Request) -> StreamKey? {
    if let wedding = Self.program(request.path) {
      return StreamKey(wedding: wedding, camera: Claims.programCamera)
    }
    return request.withPath { path in
      guard let address = ViewerPath(path), path.extracting(address.file).matches("index.m3u8")
      else { return nil }
      guard address.camera == nil else { return address.key(in: path) }
      let wedding = String(copying: path.extracting(address.wedding))
      return StreamKey(wedding: wedding, camera: Claims.programCamera)
    }
  }

  func findProgram(_ path: String) -> Found {
    guard let wedding = Self.program(path) else { return .nothing }
    let address = Array("/hls/\(wedding)/index.m3u8".utf8)
    return find(address.span)
  }

  /// The wedding of `/api/streams/playlist/{wedding}.m3u8`; nil for any other path.
  static func program(_ path: String) -> String? {
    let prefix = "\(dynamicPlaylist)"
    guard path.hasPrefix(prefix), path.hasSuffix(".m3u8") else { return nil }
    let name = String(path.dropFirst(prefix.count).dropLast(5))
    return Claims.isName(name) ? name : nil
  }
}
