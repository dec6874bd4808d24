import Glibc
import Synchronization

/// The server's context of this moment, shared by all loops: read at each accept, replaced when its
/// files change.
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

  package let configuration: TLSServerConfiguration
  private let state: Mutex<State>

  /// Loads the first context; a server does not start without one.
  ///
  /// - Parameters:
  ///   - configuration: what to load, now and at each reload.
  ///   - tickets: keys that all contexts of this source share.
  /// - Throws: an error that names the file.
  package init(
    _ configuration: TLSServerConfiguration, tickets: TicketKeys = .random()
  ) throws(TLSError) {
    self.configuration = configuration
    let fingerprint = FileFingerprint(TLSContextSource.files(configuration))
    let context = try TLSContext.server(configuration, tickets: tickets)
    state = Mutex(State(context: context, fingerprint: fingerprint))
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
    reload(FileFingerprint(TLSContextSource.files(configuration)))
  }

  /// Loads the files again if they were changed since they were loaded: a few `stat` calls if not.
  package func reloadIfChanged() -> Outcome {
    let seen = FileFingerprint(TLSContextSource.files(configuration))
    let known = state.withLock { $0.fingerprint == seen || $0.refused == seen }
    return known ? .unchanged : reload(seen)
  }

  private func reload(_ seen: FileFingerprint) -> Outcome {
    do {
      // Loading takes milliseconds: outside the lock, which every accept takes.
      let context = try TLSContext.server(configuration, tickets: TicketKeys([]))
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

  private static func files(_ configuration: TLSServerConfiguration) -> [String] {
    configuration.certificates.flatMap {
      [$0.certificate, $0.key] + ($0.status.map { [$0] } ?? [])
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
