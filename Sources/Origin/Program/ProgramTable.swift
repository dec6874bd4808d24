import EventLoop

/// The programs that have their home on one loop.
final class ProgramTable {
  private enum Entry {
    /// Its numbers are being looked up; what cameras tell meanwhile.
    case opening([(news: ProgramNews, camera: String)])
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
  func take(_ news: ProgramNews, of camera: String, in wedding: String) {
    switch entries[wedding] {
    case .open(let program): program.take(news, of: camera)
    case .opening(let waiting): entries[wedding] = .opening(waiting + [(news, camera)])
    case nil: entries[wedding] = .opening([(news, camera)])
    }
  }

  /// A program is open.
  func open(_ program: Program) {
    var waiting: [(news: ProgramNews, camera: String)] = []
    if case .opening(let news) = entries[program.wedding] { waiting = news }
    entries[program.wedding] = .open(program)
    for (news, camera) in waiting { program.take(news, of: camera) }
  }

  /// A wedding's streams are all gone.
  func close(_ wedding: String) {
    if case .open(let program) = entries.removeValue(forKey: wedding) { program.close() }
  }
}
