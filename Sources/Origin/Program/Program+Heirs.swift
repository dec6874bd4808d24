import EventLoop

/// A program while its wedding has cameras in later processes of the node, too.
///
/// It stays here for as long as it shows a camera that is here. Which one that is it decides as if
/// all of them were: where it falls on one of theirs, the program is theirs to have.
extension Program {
  /// Takes what a later process says of its cameras.
  ///
  /// - Returns: whether the program is still here.
  func hear(_ news: LaterCameras) -> Bool {
    guard !isHandedOver else { return false }
    let (gone, came) = heirs.take(news, now: milliseconds)
    for camera in gone { changed(choice.lost(camera, now: milliseconds)) }
    for camera in came {
      if moving?.camera == camera { arrive() }
      changed(choice.live(camera, now: milliseconds))
    }
    if heirs.areLive { leaveStalled() }
    tell()
    return true
  }

  /// Processes that were killed have no cameras any more.
  func forgetSilentHeirs() {
    guard !isHandedOver else { return }
    let gone = heirs.forgetSilent(now: milliseconds)
    for camera in gone { changed(choice.lost(camera, now: milliseconds)) }
    if !gone.isEmpty { tell() }
  }

  /// A camera's stream is about to be left to a later process: where the program shows it, it waits
  /// for its picture there, as it does for a segment that comes late.
  func expect(_ camera: String) {
    guard !isHandedOver else { return }
    heirs.leave(camera)
    wait(for: camera, isToHere: false)
    tell()
  }

  /// A camera that is with a process before this one may be about to come here.
  func welcome(_ camera: String) {
    guard !isHandedOver, cameras[camera]?.isGuest == true else { return }
    wait(for: camera, isToHere: true)
  }

  /// The picture of a camera that is shown and moves is waited for, as one is that comes late.
  private func wait(for camera: String, isToHere: Bool) {
    guard choice.active == camera, choice.isLive(camera), moving == nil else { return }
    let limit = loop.schedule(after: .milliseconds(patienceMilliseconds)) { [unowned self] in
      moving = nil
      lose(camera)
      tell()
    }
    moving = (camera, isToHere, limit)
  }

  /// A camera's stream stays where it is.
  func keepHere(_ camera: String) {
    guard !isHandedOver else { return }
    heirs.keep(camera)
    if moving?.camera == camera {
      arrive()
      // It may have been lost meanwhile, as nobody heard.
      if cameras[camera]?.last == nil { lose(camera) }
    }
    tell()
  }

  /// Nobody waits any more for a camera that moves.
  func arrive() {
    if let moving { loop.cancel(moving.limit) }
    moving = nil
  }

  /// A camera has nothing more to show here; a later process may have, or is about to.
  func lose(_ camera: String) {
    guard heirs.process(of: camera) == nil, moving?.camera != camera else { return }
    changed(choice.lost(camera, now: milliseconds))
  }

  /// The process that has the camera which the program is to show; nil where that is here.
  var heir: Int32? {
    choice.active.flatMap { choice.isLive($0) ? heirs.process(of: $0) : nil }
  }

  /// Whether no camera here will have anything to show any more.
  var isLeft: Bool { !cameras.contains { $0.value.isOpen && !heirs.left.contains($0.key) } }

  /// Shows nothing new from now on, where a later process may have it.
  ///
  /// - Parameter later: who wants it; nil for a process that doesn't say what it has, and goes on
  ///   with whatever has nothing to show here.
  /// - Returns: how far viewers have it, and last the camera that they are to see; nil where it
  ///   stays.
  func handOver(to later: LaterCameras?) -> StreamLeasing.Progress? {
    if let later { _ = hear(later) }
    guard !isHandedOver else { return nil }
    let isTheirs =
      if let heir { heir == later?.process } else { isLeft || later == nil && !choice.isLive }
    guard isTheirs else { return nil }
    return handOver()
  }
}
