import Glibc
import Synchronization

/// The context of this moment, shared by all loops: read at each accept or connect, replaced when
/// its files change.
///
/// Sessions keep the context they were made from, so a reload drops no connection. Whoever owns it
/// decides when to look: a timer (`reloadIfChanged`) or a signal (`reload`).
package final class TLSContextSource: Sendable {
  private struct State: Sendable {
    var context: TLSContext
    var fingerprint: FileFingerprint
    /// What a failed reload was tried with, so that it is reported once and not at every look.
    var refused: FileFingerprint?
  }

  package enum Outcome: Equatable, Sendable {
    /// The files are as they were.
    case unchanged
    /// New sessions get the new certificates.
    case replaced
    /// The files cannot be used; the old certificates serve on.
    case failed(TLSError)
  }

  private let files: [String]
  private let load: @Sendable () throws(TLSError) -> TLSContext
  private let state: Mutex<State>

  /// Loads the first context of a server; it does not start without one.
  ///
  /// - Parameters:
  ///   - configuration: what to load, now and at each reload.
  ///   - tickets: keys that all contexts of this source share.
  /// - Throws: an error that names the file.
  package convenience init(
    _ configuration: TLSServerConfiguration, tickets: TicketKeys = .random()
  ) throws(TLSError) {
    var files = configuration.certificates.flatMap {
      [$0.certificate, $0.key] + ($0.status.map { [$0] } ?? [])
    }
    if let authorities = configuration.clients.authorities { files.append(authorities) }
    try self.init(files) { () throws(TLSError) in
      try TLSContext.server(configuration, tickets: tickets)
    }
  }

  /// Loads the first context of a client.
  ///
  /// - Parameter configuration: what to load, now and at each reload.
  /// - Throws: an error that names the file.
  package convenience init(_ configuration: TLSClientConfiguration) throws(TLSError) {
    var files = configuration.certificate.map { [$0.certificate, $0.key] } ?? []
    if case .file(let authorities) = configuration.trust { files.append(authorities) }
    try self.init(files) { () throws(TLSError) in try TLSContext.client(configuration) }
  }

  private init(
    _ files: [String], _ load: @escaping @Sendable () throws(TLSError) -> TLSContext
  ) throws(TLSError) {
    self.files = files
    self.load = load
    let fingerprint = FileFingerprint(files)
    state = Mutex(State(context: try load(), fingerprint: fingerprint))
  }

  /// The context for the next connection; costs an uncontended lock.
  package var current: TLSContext { state.withLock { $0.context } }

  /// Ticket keys for this and all later contexts.
  package var ticketKeys: TicketKeys {
    get { current.ticketKeys }
    set { state.withLock { $0.context.ticketKeys = newValue } }
  }

  /// Loads the files again, whether or not they look changed.
  package func reload() -> Outcome {
    reload(FileFingerprint(files))
  }

  /// Loads the files again if they were changed since they were loaded: a few `stat` calls if not.
  package func reloadIfChanged() -> Outcome {
    let seen = FileFingerprint(files)
    let known = state.withLock { $0.fingerprint == seen || $0.refused == seen }
    return known ? .unchanged : reload(seen)
  }

  private func reload(_ seen: FileFingerprint) -> Outcome {
    do {
      // Loading takes milliseconds: outside the lock, which every accept takes.
      let context = try load()
      state.withLock { state in
        context.ticketKeys = state.context.ticketKeys
        state = State(context: context, fingerprint: seen)
      }
      return .replaced
    } catch {
      state.withLock { $0.refused = seen }
      return .failed(error)
    }
  }
}

/// What files look like from outside: any change of content that goes through `rename` or `write`
/// changes it.
package struct FileFingerprint: Equatable, Sendable {
  private var stamps: [[Int]]

  /// Looks at each file once; one that cannot be looked at is like an empty one that never changes.
  package init(_ paths: [String]) {
    stamps = paths.map { path in
      var about = stat()
      // stat and not lstat: certbot and Kubernetes put new files behind old links.
      guard unsafe stat(path, &about) == 0 else { return [] }
      return [
        Int(about.st_dev), Int(bitPattern: UInt(about.st_ino)), Int(about.st_size),
        about.st_mtim.tv_sec, about.st_mtim.tv_nsec, about.st_ctim.tv_sec, about.st_ctim.tv_nsec,
      ]
    }
  }
}
