import HLS
import Media
import Viewers

/// What cameras of weddings with several have told their programs last: for a later process of this
/// node, whose programs can show them, too.
///
/// Pure. It has the last segments' bytes in common with the streams.
struct ToldCameras {
  private struct Camera {
    var round = 0
    var isLive = false
    var isOpen = true
    var isThere = true
    var offers: [ProgramOffer] = []
    /// By number and rendition.
    var recent: [Int: [String: Segment]] = [:]
    /// The number of what it has told last.
    var number = 0
  }

  /// So many numbers of each are told: a rung's segment comes a while after the source's.
  private static let remembered = 3

  private var cameras: [StreamKey: Camera] = [:]
  /// Of the news so far; who knows none is told at once.
  private(set) var number = 1
  /// Whether somebody wants to know: those that are gone are told, too.
  private(set) var isAsked = false

  /// Takes what a camera tells.
  mutating func take(_ news: ProgramNews, of key: StreamKey) {
    var camera = cameras[key] ?? Camera()
    switch news {
    case .began:
      camera.round += 1
      (camera.isLive, camera.isOpen, camera.isThere, camera.recent) = (false, true, true, [:])
    case .segments(let pieces, let offers):
      camera.offers = offers
      for (rendition, segment) in pieces {
        camera.recent[segment.sequence, default: [:]][rendition] = segment
        // Rungs may have something to come when their publisher has gone.
        guard rendition == Renditions.sourceName else { continue }
        (camera.isLive, camera.isOpen, camera.isThere) = (true, true, true)
      }
      while camera.recent.count > Self.remembered, let oldest = camera.recent.keys.min() {
        camera.recent[oldest] = nil
      }
    case .lost: (camera.isLive, camera.recent) = (false, [:])
    case .over: (camera.isLive, camera.isOpen, camera.recent) = (false, false, [:])
    case .gone:
      (camera.isLive, camera.isOpen, camera.isThere, camera.recent) = (false, false, false, [:])
    }
    number += 1
    camera.number = number
    cameras[key] = camera.isThere || isAsked ? camera : nil
  }

  /// What was a camera is none any more; whether it was one.
  mutating func forget(_ key: StreamKey) -> Bool {
    guard cameras[key]?.isThere == true else { return false }
    take(.gone, of: key)
    return true
  }

  /// The cameras of a wedding that have something to show.
  func live(in wedding: String) -> Set<String> {
    Set(cameras.filter { $0.key.wedding == wedding && $0.value.isLive }.map(\.key.camera))
  }

  /// There is other news than of cameras.
  mutating func note() { number += 1 }

  /// What has changed since somebody asked.
  ///
  /// - Parameter known: the number of what they know; 0 for nothing.
  /// - Returns: those cameras, what has changed last at the end.
  mutating func news(after known: Int) -> [ElderCamera] {
    isAsked = true
    return cameras.filter { $0.value.number > known }.sorted { $0.value.number < $1.value.number }
      .map { key, camera in
        let ranks = camera.offers.map(\.name)
        let pieces = camera.recent.sorted { $0.key < $1.key }.flatMap { _, pieces in
          // The source goes first: a place in the program is its.
          pieces.sorted {
            (ranks.firstIndex(of: $0.key) ?? .max, $0.key)
              < (ranks.firstIndex(of: $1.key) ?? .max, $1.key)
          }.map { ElderCamera.Piece($0.value, rendition: $0.key) }
        }
        return ElderCamera(
          key: key, round: camera.round, isLive: camera.isLive, isOpen: camera.isOpen,
          isThere: camera.isThere, offers: camera.offers.map { ElderCamera.Offer($0) },
          pieces: pieces)
      }
  }

  /// Somebody watches renditions by way of a later process.
  ///
  /// - Parameters:
  ///   - renditions: as `wedding/camera/rendition`.
  ///   - second: of the monotonic clock.
  func note(watched renditions: [String], second: UInt64) {
    for name in renditions.prefix(4_096) {
      let parts = name.split(separator: "/").map(String.init)
      guard parts.count == 3, let key = StreamKey(wedding: parts[0], camera: parts[1]) else {
        continue
      }
      cameras[key]?.offers.first { $0.name == parts[2] }?.interest?.note(now: second)
    }
  }
}
