import TLS

/// Holds what is in the files that a configuration names against each other, as `check` does.
///
/// A node finds it out itself when it starts.
struct ConfigurationContents {
  private(set) var faults: [ConfigurationFault] = []
  /// What is doubtful, and yet no fault.
  private(set) var warnings: [String] = []

  /// Opens the files.
  init(_ reading: ConfigurationReading) {
    checkCertificate(reading)
  }

  private mutating func checkCertificate(_ reading: ConfigurationReading) {
    let configuration = reading.configuration
    guard let certificate = configuration.tls.certificate, let key = configuration.tls.key,
      reading.isSound("tls.certificate", "tls.key")
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
}
