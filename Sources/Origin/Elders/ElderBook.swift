import Media
import Synchronization

/// What the processes before this one have said of their cameras last, and of which weddings they
/// have the program.
package final class ElderBook: Sendable {
  private struct Page {
    var cameras: [StreamKey: ElderCamera] = [:]
    var programs: Set<String> = []
    var hasAnswered = false
  }

  private let pages = Mutex<[Int32: Page]>([:])

  package init() {}

  /// Processes that are there, of which some have not said anything yet.
  func expect(_ processes: [Int32]) {
    pages.withLock { pages in
      for process in processes where pages[process] == nil { pages[process] = Page() }
    }
  }

  /// Takes what a process says.
  ///
  /// - Parameters:
  ///   - cameras: what has changed there.
  ///   - programs: weddings of which it has the program; all of them.
  ///   - process: which says it.
  func take(_ cameras: [ElderCamera], programs: Set<String>, of process: Int32) {
    pages.withLock { pages in
      for camera in cameras {
        pages[process, default: Page()].cameras[camera.key] = camera.isThere ? camera : nil
      }
      pages[process, default: Page()].programs = programs
      pages[process]?.hasAnswered = true
    }
  }

  /// What becomes of the cameras of a process that has ended.
  enum End { case lost, over, gone }

  /// A process has ended, or knows nothing of such questions: its cameras are lost, then over, then
  /// gone.
  ///
  /// - Returns: those cameras.
  func end(_ process: Int32, _ end: End) -> [StreamKey] {
    pages.withLock { pages in
      var page = pages[process] ?? Page()
      defer { pages[process] = page }
      (page.programs, page.hasAnswered) = ([], true)
      let keys = Array(page.cameras.keys)
      for key in keys {
        page.cameras[key]?.isLive = false
        page.cameras[key]?.pieces = []
        if end != .lost { page.cameras[key]?.isOpen = false }
      }
      if end == .gone { page.cameras = [:] }
      return keys
    }
  }

  /// What is said of a camera, and by which process; by the one where it is live, of several.
  func camera(_ key: StreamKey) -> (process: Int32, camera: ElderCamera)? {
    pages.withLock { pages in
      let all = pages.compactMap { process, page in page.cameras[key].map { (process, $0) } }
      return all.first { $0.1.isLive } ?? all.first { $0.1.isOpen } ?? all.first
    }
  }

  /// Whether a camera has something to show with one of them.
  func isLive(_ key: StreamKey) -> Bool { camera(key)?.camera.isLive ?? false }

  /// All cameras of a wedding.
  func cameras(of wedding: String) -> [StreamKey] {
    pages.withLock { pages in
      Set(pages.values.flatMap { $0.cameras.keys.filter { $0.wedding == wedding } })
        .sorted { $0.camera < $1.camera }
    }
  }

  /// The weddings whose program may have to be this process's for what those before it have: they
  /// have cameras that may be shown, and not all of those are with the one that has the program.
  ///
  /// - Parameter isKept: whether it may be this process's already, for cameras that have ended
  ///   since.
  /// - Returns: none as long as one of them has said nothing.
  func hosted(isKept: Bool) -> Set<String> {
    pages.withLock { pages in
      // Nobody knows yet who has which.
      guard pages.values.allSatisfy(\.hasAnswered) else { return [] }
      var weddings: Set<String> = []
      for page in pages.values {
        for camera in page.cameras.values
        where (camera.isOpen || isKept) && !page.programs.contains(camera.key.wedding) {
          weddings.insert(camera.key.wedding)
        }
      }
      return weddings
    }
  }
}
