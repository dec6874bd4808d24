import EventLoop
import Media
import Synchronization

/// Programs while their weddings have cameras in several processes of the node.
extension Programs {
  /// Another process has a wedding's program, or none has it any more.
  func set(_ wedding: String, isAway: Bool) {
    let opened = state.withLock { state -> (@Sendable (String) -> Void)? in
      guard isAway else {
        state.away[wedding] = nil
        return nil
      }
      guard state.away[wedding] == nil else { return nil }
      state.away[wedding] = state.told.live(in: wedding)
      return state.opened
    }
    opened?(wedding)
  }

  /// The cameras that have something to show while another process has their program: those that
  /// are here, and those of processes before this one.
  func live(in wedding: String) -> Set<String> { state.withLock { $0.away[wedding] ?? [] } }

  func note(_ news: ProgramNews, of key: StreamKey) {
    let isNews = state.withLock { state in
      let before = state.away[key.wedding]
      switch news {
      case .segments: state.away[key.wedding]?.insert(key.camera)
      case .lost, .over, .gone: state.away[key.wedding]?.remove(key.camera)
      case .began: break
      }
      return before != state.away[key.wedding]
    }
    if isNews { wake(key.wedding) }
  }

  /// Waits for the moment when a later process may have a wedding's program.
  ///
  /// - Parameters:
  ///   - wedding: whose.
  ///   - later: what that process has.
  ///   - limit: for how long at most.
  /// - Returns: false where there is no such program here.
  func watch(_ wedding: String, for later: LaterCameras, atMost limit: Duration) async -> Bool {
    let (number, news) = waiter(wedding)
    defer { state.withLock { $0.waiting[number] = nil } }
    guard await run(wedding, { $0.hear(later) }) == true else { return false }
    let timer = finish(number, after: limit)
    defer { timer.cancel() }
    var iterator = news.makeAsyncIterator()
    repeat {
      guard let status = status(of: wedding), status.heir != later.process,
        status.heir != nil || !status.isLeft
      else { break }
    } while await iterator.next() != nil
    return true
  }

  /// Returns when other cameras of a wedding have something to show than those that were known, or
  /// the task is cancelled.
  ///
  /// - Parameters:
  ///   - wedding: whose program another process has.
  ///   - known: its cameras.
  func changed(_ wedding: String, from known: Set<String>) async {
    let (number, news) = waiter(wedding)
    defer { state.withLock { $0.waiting[number] = nil } }
    guard live(in: wedding) == known else { return }
    for await _ in news where live(in: wedding) != known { return }
  }

  private func finish(_ number: Int, after limit: Duration) -> Task<Void, Never> {
    Task {
      try? await Task.sleep(for: limit)
      self.state.withLock { $0.waiting[number] }?.news.finish()
    }
  }

  private func waiter(_ wedding: String?) -> (number: Int, news: AsyncStream<Void>) {
    let (news, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    return state.withLock { state in
      state.waits += 1
      state.waiting[state.waits] = (wedding, continuation)
      return (state.waits, news)
    }
  }

  /// There may be news for those who wait for such of a wedding; nil for those who do of all.
  func wake(_ wedding: String?) {
    for each in state.withLock({ $0.waiting.values.filter { $0.wedding == wedding } }) {
      each.news.yield()
    }
  }

  // MARK: With those after this one

  /// What cameras here have to show, and which programs there are, once there is news of it.
  ///
  /// - Parameters:
  ///   - known: the number of what was told last; 0 for nothing.
  ///   - limit: how long it waits for news.
  /// - Returns: a number for what is known then, what has changed, and the weddings whose program
  ///   is here.
  func news(
    after known: Int, atMost limit: Duration
  ) async -> (number: Int, cameras: [ElderCamera], programs: Set<String>) {
    let (number, news) = waiter(nil)
    defer { state.withLock { $0.waiting[number] = nil } }
    let timer = finish(number, after: limit)
    defer { timer.cancel() }
    var iterator = news.makeAsyncIterator()
    repeat {
      if state.withLock({ $0.told.number > known }) { break }
    } while await iterator.next() != nil
    return state.withLock { state in
      (state.told.number, state.told.news(after: known), state.held)
    }
  }

  /// Viewers of a later process watch renditions of cameras that are here.
  func note(watched renditions: [String]) {
    let second = MonotonicTime.now.nanoseconds / 1_000_000_000
    state.withLock { $0.told.note(watched: renditions, second: second) }
  }

  // MARK: With those before this one

  /// Names who is told when a wedding's program is about to be here, or is waited for.
  func whenOpen(_ opened: @escaping @Sendable (String) -> Void) {
    state.withLock { $0.opened = opened }
  }

  /// Whether a wedding's program is here, and goes on here.
  package func isHeld(_ wedding: String) -> Bool { state.withLock { $0.isHeld(wedding) } }

  /// The number of what a camera has shown last in its wedding's program with a process before this
  /// one; nil where that was another camera, or isn't known.
  func lastShown(of camera: StreamKey) -> Int? {
    state.withLock { $0.left[camera.wedding] }.flatMap {
      $0.camera == camera.camera ? $0.sequence : nil
    }
  }

  /// What is told of a camera that is with a process before this one; nothing where it is here by
  /// now.
  ///
  /// - Parameters:
  ///   - news: nil says that it has something to show, to those who wait for the program.
  ///   - key: the camera.
  func tell(_ news: ProgramNews?, ofGuest key: StreamKey) {
    switch news {
    // One that was removed ends in its program, too.
    case .lost, .over, .gone: break
    case nil, .began, .segments: guard cameras.isMember(key) else { return }
    }
    let (home, isAway) = state.withLock { state in
      let isHere = state.own.contains(key)
      return (
        isHere ? nil : Self.openHome(of: key.wedding, state),
        !isHere && state.away[key.wedding] != nil
      )
    }
    if isAway { note(news ?? .segments([], offers: []), of: key) }
    guard let news else { return }
    home?.submit { loop in
      ProgramTable.on(loop).take(news, of: key.camera, in: key.wedding, isGuest: true)
    }
  }
}
