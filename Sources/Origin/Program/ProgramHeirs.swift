/// What a program knows of its wedding's cameras in later processes of its node.
///
/// Pure; times are milliseconds of a clock that never goes back.
struct ProgramHeirs {
  /// How long one counts as there that says nothing: it does so every few seconds.
  private static let life: Int64 = 15_000

  private var told: [Int32: (live: Set<String>, at: Int64)] = [:]
  /// Cameras whose streams were left to one of them: nobody publishes such here any more.
  private(set) var left: Set<String> = []

  /// The process where a camera has something to show; nil where it is none of them.
  func process(of camera: String) -> Int32? {
    told.first { $0.value.live.contains(camera) }?.key
  }

  /// Whether any camera has something to show in one of them.
  var areLive: Bool { told.values.contains { !$0.live.isEmpty } }

  /// Takes what one of them says.
  ///
  /// - Returns: the cameras that have nothing to show any more in any, and those that have by now.
  mutating func take(_ news: LaterCameras, now: Int64) -> (gone: [String], came: [String]) {
    let before = all
    // What has come to it has left where it was, though a process that was killed never says so.
    let new = Set(news.live).subtracting(told[news.process]?.live ?? [])
    for process in told.keys { told[process]?.live.subtract(new) }
    told[news.process] = (Set(news.live), now)
    return (before.subtracting(all).sorted(), all.subtracting(before).sorted())
  }

  /// Forgets those that have said nothing for long: they have ended without a word.
  ///
  /// - Returns: the cameras that have nothing to show any more.
  mutating func forgetSilent(now: Int64) -> [String] {
    let before = all
    told = told.filter { now - $0.value.at < Self.life }
    return before.subtracting(all).sorted()
  }

  /// Whether one of them has said something of late: it has cameras of the wedding, that wait at
  /// least.
  func areThere(now: Int64) -> Bool { told.values.contains { now - $0.at < Self.life } }

  /// A camera's stream is one of theirs from now on.
  mutating func leave(_ camera: String) { left.insert(camera) }

  /// A camera's stream stays here all the same.
  mutating func keep(_ camera: String) { left.remove(camera) }

  private var all: Set<String> { told.values.reduce(into: []) { $0.formUnion($1.live) } }
}
