import Access
import Logging
import TLS

/// Holds what is in the files that a configuration names against each other, as `check` does.
///
/// A node finds it out itself when it starts.
struct ConfigurationContents {
  private(set) var faults: [ConfigurationFault] = []
  /// What is doubtful, and yet no fault.
  private(set) var warnings: [String] = []

  /// Opens the files.
  ///
  /// Addresses are not asked.
  init(_ reading: ConfigurationReading) async {
    checkCertificate(reading)
    checkSecret(reading)
    checkCDN(reading)
    checkPeers(reading)
    await checkKeySet(reading)
  }

  private mutating func checkSecret(_ reading: ConfigurationReading) {
    guard let path = reading.configuration.auth.secretFile, reading.isSound("auth.secret_file")
    else { return }
    do throws(StartFailure) {
      _ = try NodeSecret.read(path)
    } catch {
      faults.append(reading.fault("auth.secret_file", error.description))
    }
  }

  private mutating func checkPeers(_ reading: ConfigurationReading) {
    let cluster = reading.configuration.cluster
    guard isFit(reading, "cluster", cluster.certificate, cluster.key),
      reading.isSound("cluster.certificate", "cluster.key", "cluster.ca"),
      let peers = reading.configuration.peers
    else { return }
    do throws(TLSError) {
      let context = try TLSContext.server(peers.server())
      warnings += context.certificates.compactMap(\.warning)
      try context.requireOwnAuthority(peers.server())
    } catch {
      faults.append(reading.fault("cluster.certificate", "\(error)"))
    }
  }

  private mutating func checkCDN(_ reading: ConfigurationReading) {
    // What single keys lack is said already.
    guard !reading.faults.contains(where: { $0.key.hasPrefix("cdn.") }) else { return }
    do throws(StartFailure) {
      _ = try NodeCDN.provider(reading.configuration)
    } catch {
      faults.append(reading.fault("cdn.provider", error.description))
    }
  }

  private mutating func checkKeySet(_ reading: ConfigurationReading) async {
    guard let text = reading.configuration.auth.jwks, reading.isSound("auth.jwks") else { return }
    do throws(KeyError) {
      let place = try KeySetSource.Place(text)
      guard case .file = place else { return }
      let silent = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }
      let source = KeySetSource(
        place, verifier: TokenVerifier(keys: .none), client: nil, log: silent)
      try await source.refresh()
    } catch {
      faults.append(reading.fault("auth.jwks", "\(error)"))
    }
  }

  private mutating func checkCertificate(_ reading: ConfigurationReading) {
    let configuration = reading.configuration
    let tls = configuration.tls
    guard isFit(reading, "tls", tls.certificate, tls.key), let certificate = tls.certificate,
      let key = tls.key
    else { return }
    do throws(TLSError) {
      let context = try TLSContext.server(
        TLSServerConfiguration(
          certificates: [TLSCertificateFiles(certificate: certificate, key: key)],
          fastCipher: configuration.fastCipher))
      warnings += context.certificates.compactMap(\.warning)
    } catch {
      faults.append(reading.fault("tls.certificate", "\(error)"))
    }
  }

  /// Looks at a certificate and a key each by itself, as one of them may be away, or at fault, too.
  ///
  /// - Returns: whether both are there and can be held against each other.
  private mutating func isFit(
    _ reading: ConfigurationReading, _ section: String, _ certificate: String?, _ key: String?
  ) -> Bool {
    let count = faults.count
    // Of files that can't be read it is said already.
    func isReadable(_ path: String) -> Bool {
      ReadableFile.problem(path, isRegular: true) == nil
    }
    if let certificate, isReadable(certificate),
      let error = TLSContext.problem(ofCertificate: certificate, section: section)
    {
      faults.append(reading.fault("\(section).certificate", "\(error)"))
    }
    if let key, isReadable(key),
      let error = TLSContext.problem(ofKey: key, section: section)
    {
      faults.append(reading.fault("\(section).key", "\(error)"))
    }
    return faults.count == count
      && [certificate, key].allSatisfy { $0.map(isReadable) ?? false }
  }
}
