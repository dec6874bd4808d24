/// Which camera a program shows: the one that was chosen; while that is lost, the next one.
///
/// Pure; times are milliseconds of a clock that never goes back.
struct ProgramChoice {
  /// Why the program shows another camera.
  enum Reason: String, Sendable, CaseIterable {
    /// Somebody has chosen it.
    case chosen
    /// The one before is lost.
    case lost
    /// It was lost, and is live again.
    case returned
    /// The one before was removed.
    case removed
  }

  /// The program shows another camera from here on.
  struct Change: Equatable {
    let from: String
    let to: String
    let reason: Reason
  }

  private struct Camera {
    var priority = 0
    /// Of two with the same priority, the one that came first goes first.
    let order: Int
    var liveSince: Int64?
    var wasLive = false
  }

  let rule: CameraReturn
  /// What it is to show whenever that is live; nil where nobody has said so.
  private(set) var chosen: String?
  /// What it shows, or showed last; nil before any camera was live.
  private(set) var active: String?
  /// The camera that the program goes on with, once it is live, and for how long it waits after the
  /// first other one that is.
  private var awaited: (camera: String, patience: Int64)?
  private var cameras: [String: Camera] = [:]
  private var nextOrder = 0

  /// Makes a choice.
  ///
  /// - Parameters:
  ///   - rule: for a camera that is live again.
  ///   - chosen: what was chosen before.
  init(_ rule: CameraReturn, chosen: String? = nil) {
    self.rule = rule
    self.chosen = chosen
  }

  /// Whether a camera is live.
  func isLive(_ camera: String) -> Bool { cameras[camera]?.liveSince != nil }

  /// Whether any camera is live.
  var isLive: Bool { cameras.values.contains { $0.liveSince != nil } }

  /// Sets who follows a camera that is lost.
  ///
  /// - Parameter priorities: by camera, the highest first; others have 0.
  mutating func set(priorities: [String: Int]) {
    for camera in priorities.keys.sorted() { know(camera) }
    for camera in cameras.keys { cameras[camera]?.priority = priorities[camera] ?? 0 }
  }

  /// The program already shows a camera, whose playlist it goes on from.
  mutating func begin(with camera: String, isLive: Bool, now: Int64) {
    know(camera)
    active = camera
    if chosen == nil { chosen = camera }
    cameras[camera]?.wasLive = true
    cameras[camera]?.liveSince = isLive ? now : nil
  }

  /// The program has shown a camera on another node, or in a process that has died: its cameras
  /// come from there, one after the other.
  ///
  /// - Parameters:
  ///   - camera: that it goes on with.
  ///   - patience: how long it waits for that where another one is live, in milliseconds.
  mutating func goOn(with camera: String, patience: Int64) {
    awaited = (camera, patience)
    // One that was lost before, or comes too late, is back by the rule.
    for known in [camera, chosen ?? camera] {
      know(known)
      cameras[known]?.wasLive = true
    }
  }

  /// A camera has something to show.
  mutating func live(_ camera: String, now: Int64) -> Change? {
    know(camera)
    guard let known = cameras[camera], known.liveSince == nil else { return nil }
    cameras[camera]?.liveSince = now
    cameras[camera]?.wasLive = true
    guard let active else {
      if let awaited, awaited.camera != camera { return nil }
      awaited = nil
      self.active = camera
      if chosen == nil { chosen = camera }
      return nil
    }
    guard active != camera else { return nil }
    if !isLive(active) { return show(camera, cameras[active] == nil ? .removed : .lost) }
    // What was chosen before it was ever live is no return.
    if camera == chosen, !known.wasLive { return show(camera, .chosen) }
    return due(now: now)
  }

  /// A camera has nothing to show any more.
  mutating func lost(_ camera: String, now: Int64) -> Change? {
    guard isLive(camera) else { return nil }
    cameras[camera]?.liveSince = nil
    return leave(camera, .lost)
  }

  /// A camera is gone for good.
  mutating func removed(_ camera: String, now: Int64) -> Change? {
    cameras[camera] = nil
    if chosen == camera { chosen = nil }
    if active == nil, awaited?.camera == camera {
      awaited = nil
      // Viewers have seen that one until here.
      active = camera
    }
    return leave(camera, .removed)
  }

  /// Somebody has chosen a camera; one that isn't live is shown once it is, whatever the rule.
  mutating func choose(_ camera: String) -> Change? {
    know(camera)
    chosen = camera
    if active == nil, let patience = awaited?.patience {
      awaited = isLive(camera) ? nil : (camera, patience)
      active = isLive(camera) ? camera : nil
    }
    guard !isLive(camera) else { return show(camera, .chosen) }
    cameras[camera]?.wasLive = false
    return nil
  }

  /// When `due` may have a change, if nothing else happens.
  var nextLook: Int64? {
    if active == nil, let awaited {
      return cameras.values.compactMap(\.liveSince).min().map { $0 + awaited.patience }
    }
    guard case .after(let milliseconds) = rule, let chosen, chosen != active,
      let since = cameras[chosen]?.liveSince
    else { return nil }
    return since + milliseconds
  }

  /// Goes back to the camera that was chosen, where it is time.
  mutating func due(now: Int64) -> Change? {
    if active == nil, let awaited, let time = nextLook, now >= time {
      self.awaited = nil
      if chosen == nil { chosen = best(besides: nil) }
      // Viewers have seen that one until here.
      active = awaited.camera
      return leave(awaited.camera, .lost)
    }
    guard let chosen, chosen != active, let since = cameras[chosen]?.liveSince else { return nil }
    switch rule {
    case .never: return nil
    case .whenLive: return show(chosen, .returned)
    case .after(let milliseconds):
      return now - since >= milliseconds ? show(chosen, .returned) : nil
    }
  }

  private mutating func know(_ camera: String) {
    guard cameras[camera] == nil else { return }
    cameras[camera] = Camera(order: nextOrder)
    nextOrder += 1
  }

  /// The next camera, where the one that is shown is no longer there.
  private mutating func leave(_ camera: String, _ reason: Reason) -> Change? {
    guard camera == active else { return nil }
    return best(besides: camera).flatMap { show($0, reason) }
  }

  /// The live camera that goes before all others.
  private func best(besides camera: String?) -> String? {
    cameras.filter { $0.value.liveSince != nil && $0.key != camera }.min {
      ($0.value.priority, -$0.value.order) > ($1.value.priority, -$1.value.order)
    }?.key
  }

  private mutating func show(_ camera: String, _ reason: Reason) -> Change? {
    guard let from = active, from != camera else { return nil }
    active = camera
    if reason == .lost, rule == .never { chosen = camera }
    return Change(from: from, to: camera, reason: reason)
  }
}
