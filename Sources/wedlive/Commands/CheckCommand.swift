import ArgumentParser
import TLS

/// `wedlive check FILE`: like `nginx -t`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a configuration file without starting anything.",
    discussion: """
      Prints one line for each thing that is wrong, with the file's line, and ends with status 1; \
      or prints OK. Environment variables count as they would for a node. The files that the \
      configuration names are opened, and the certificate is held against its key.
      """)

  @Argument(help: ArgumentHelp("The YAML file.", valueName: "file"))
  var file: String

  func run() throws {
    let (configuration, faults) = ConfigurationLoader(file: file).check()
    guard faults.isEmpty else {
      for fault in faults { print(fault) }
      throw ExitCode.failure
    }
    if let warning = try certificateWarning(configuration) { print("\(file): warning: \(warning)") }
    print("\(file): OK")
  }

  /// What is doubtful about the certificate.
  ///
  /// - Throws: `ExitCode`, after it has said why, where it can't be used at all.
  private func certificateWarning(_ configuration: NodeConfiguration) throws -> String? {
    guard let certificate = configuration.tls.certificate, let key = configuration.tls.key else {
      return nil
    }
    do throws(TLSError) {
      let context = try TLSContext.server(
        TLSServerConfiguration(
          certificates: [TLSCertificateFiles(certificate: certificate, key: key)],
          fastCipher: configuration.fastCipher))
      return context.certificates.compactMap(\.warning).first
    } catch {
      print("\(file): tls: \(error)")
      throw ExitCode.failure
    }
  }
}
