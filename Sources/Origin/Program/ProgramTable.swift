import EventLoop

/// The programs that have their home on one loop.
final class ProgramTable {
  private typealias Told = (news: ProgramNews, camera: String, isGuest: Bool)

  private enum Entry {
    /// Its numbers are being looked up; what cameras tell meanwhile.
    case opening([Told])
    case open(Program)
  }

  private var entries: [String: Entry] = [:]

  /// What the loop has; made when it is first asked for.
  static func on(_ loop: Loop) -> ProgramTable {
    if let table = loop.local(ProgramTable.self) { return table }
    let table = ProgramTable()
    loop.setLocal(table)
    return table
  }

  /// A wedding's program, once it is open.
  subscript(wedding: String) -> Program? {
    guard case .open(let program) = entries[wedding] else { return nil }
    return program
  }

  /// Takes what a camera tells.
  ///
  /// - Parameters:
  ///   - news: what it is.
  ///   - camera: of the wedding.
  ///   - wedding: whose program it is for.
  ///   - isGuest: whether it is with a process before this one.
  func take(
    _ news: ProgramNews, of camera: String, in wedding: String, isGuest: Bool = false
  ) {
    switch entries[wedding] {
    case .open(let program): program.take(news, of: camera, isGuest: isGuest)
    case .opening(let waiting):
      entries[wedding] = .opening(waiting + [(news, camera, isGuest)])
    case nil: entries[wedding] = .opening([(news, camera, isGuest)])
    }
  }

  /// A program is open.
  func open(_ program: Program) {
    var waiting: [Told] = []
    if case .opening(let news) = entries[program.wedding] { waiting = news }
    entries[program.wedding] = .open(program)
    for each in waiting { program.take(each.news, of: each.camera, isGuest: each.isGuest) }
  }

  /// A wedding's streams are all gone.
  func close(_ wedding: String) {
    if case .open(let program) = entries.removeValue(forKey: wedding) { program.close() }
  }
}
