package import HTTPClient
import HTTPTypes
import Foundation
package import Logging

/// Keeps a verifier's keys up to date from a JSON Web Key Set, in a file or at an https address.
///
/// A set that can't be read leaves the keys as they are. A token that a key not known yet may have
/// signed makes it look again soon, so that a rotated key works at once, of whatever algorithm and
/// with an id or without; forged tokens can't make it look more often than once in `minInterval`.
package actor KeySetSource {
  /// Where the set is.
  package enum Place: Sendable, Equatable, CustomStringConvertible {
    case file(String)
    /// The path with its query.
    case url(scheme: String, authority: String, path: String)

    /// Reads `auth.jwks`: a path, `https://…`, or `http://…` on this machine.
    ///
    /// - Throws: `.unusable` for http to another machine: whoever sits between could name keys.
    ///   Also for a user name or password, which no request carries.
    package init(_ text: String) throws(KeyError) {
      guard let colon = text.range(of: "://") else {
        self = .file(text)
        return
      }
      let scheme = text[..<colon.lowerBound].lowercased()
      let rest = text[colon.upperBound...]
      let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
      let authority = String(rest[..<end])
      if authority.contains("@") {
        throw KeyError.unusable("the key set's address can't hold a user name or a password")
      }
      let host = authority.hasPrefix("[") ? authority : String(authority.prefix { $0 != ":" })
      let isLocal =
        ["localhost", "127.0.0.1"].contains(host) || host == "[::1]" || host.hasPrefix("[::1]:")
      guard !authority.isEmpty, scheme == "https" || (scheme == "http" && isLocal) else {
        throw KeyError.unusable("the key set must be a file or an https address")
      }
      let path = rest[end...].prefix { $0 != "#" }
      self = .url(
        scheme: scheme, authority: authority,
        path: path.hasPrefix("/") ? String(path) : "/\(path)")
    }

    /// What `auth.jwks` holds, for logs and errors, whether a place can be made of it or not.
    ///
    /// An address comes without user name, password and query: they may be secrets.
    package static func words(for text: String) -> String {
      guard let colon = text.range(of: "://") else { return text }
      let rest = text[colon.upperBound...].prefix { $0 != "?" && $0 != "#" }
      let name = rest.lastIndex(of: "@").map(rest.index(after:)) ?? rest.startIndex
      return String(text[..<colon.upperBound] + rest[name...])
    }

    package var description: String {
      switch self {
      case .file(let path): path
      case .url(let scheme, let authority, let path):
        Place.words(for: "\(scheme)://\(authority)\(path)")
      }
    }
  }

  private static let maxBytes = 256 << 10
  private let place: Place
  private let verifier: TokenVerifier
  private let fixed: VerificationKeys
  private let client: HTTPClient?
  private let interval: Duration
  private let minInterval: Duration
  private let log: Logger
  private var lastText: [UInt8] = []
  private var lastProblem = ""

  /// Makes a source.
  ///
  /// - Parameters:
  ///   - place: of the set.
  ///   - verifier: whose keys are replaced.
  ///   - fixed: keys that are always good, such as the secret.
  ///   - client: for an address; a file needs none.
  ///   - interval: between two looks.
  ///   - minInterval: between two looks because of unknown keys.
  ///   - log: for changes and failures.
  package init(
    _ place: Place, verifier: TokenVerifier, fixed: VerificationKeys = .none, client: HTTPClient?,
    interval: Duration = .seconds(300), minInterval: Duration = .seconds(10), log: Logger
  ) {
    self.place = place
    self.verifier = verifier
    self.fixed = fixed
    self.client = client
    self.interval = interval
    self.minInterval = minInterval
    self.log = log
  }

  /// Reads the set for the first time.
  ///
  /// An address that fails is logged and left to `run()`: a key server that is down must not keep a
  /// node from starting, as the fixed keys are good without it.
  ///
  /// - Throws: why a file can't be read or used.
  package func start() async throws(KeyError) {
    do throws(KeyError) {
      try await refresh()
    } catch {
      if case .file = place { throw error }
      report(error)
    }
  }

  /// Reads the set once and gives its keys to the verifier.
  ///
  /// - Throws: why it can't be read or used, naming the place.
  package func refresh() async throws(KeyError) {
    let text = try await read()
    if text == lastText { return }
    let keys: VerificationKeys
    do {
      keys = try await VerificationKeys.jwks(text)
    } catch {
      throw KeyError.unusable("\(place): \(error)")
    }
    lastText = text
    verifier.replace(keys: fixed.adding(keys))
    log.info("key set read", metadata: ["from": "\(place)", "keys": "\(keys.count)"])
  }

  /// Looks again and again until the task is cancelled; after a failure, every `minInterval`.
  package func run() async {
    var seen = verifier.unknownKeyCount
    while !Task.isCancelled {
      var pause = interval
      do throws(KeyError) {
        try await refresh()
        lastProblem = ""
      } catch {
        report(error)
        pause = min(minInterval, interval)
      }
      let start = ContinuousClock.now
      while ContinuousClock.now - start < pause {
        do {
          try await Task.sleep(for: min(minInterval, pause))
        } catch {
          return
        }
        let count = verifier.unknownKeyCount
        if count != seen {
          seen = count
          break
        }
      }
    }
  }

  /// Logs a failure, once per problem: a key server that is down for a night is one line.
  private func report(_ error: KeyError) {
    if error.description != lastProblem {
      log.error("key set not read", metadata: ["problem": "\(error)"])
    }
    lastProblem = error.description
  }

  private func read() async throws(KeyError) -> [UInt8] {
    switch place {
    case .file(let path):
      guard let file = FileHandle(forReadingAtPath: path),
        let data = try? file.read(upToCount: KeySetSource.maxBytes)
      else { throw KeyError.unusable("\(path): can't be read") }
      return Array(data)
    case .url(let scheme, let authority, let path):
      guard let client else { throw KeyError.unusable("\(place): there is no HTTP client") }
      do throws(HTTPClientError) {
        let (response, body) = try await client.send(
          HTTPRequest(method: .get, scheme: scheme, authority: authority, path: path),
          deadline: .seconds(10), maxResponseBytes: KeySetSource.maxBytes)
        guard response.status == .ok else {
          throw HTTPClientError(.brokenResponse, "status \(response.status.code)")
        }
        return body
      } catch {
        throw KeyError.unusable("\(place): \(error)")
      }
    }
  }
}
