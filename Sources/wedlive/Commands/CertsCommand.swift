import ArgumentParser
import Foundation
import TLS

/// `wedlive certs`: an authority and a certificate for development.
struct CertsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certs",
    abstract: "Make a certificate authority and a server certificate for development.",
    discussion: """
      Writes ca.pem, ca.key, server.pem and server.key. Whoever trusts ca.pem trusts the server:

        curl --cacert certs/ca.pem https://localhost:8443/healthz
        wedlive publish --ca certs/ca.pem rtmps://localhost:1936/live/TOKEN
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write to.", valueName: "folder"))
  var out = "certs"

  @Option(
    name: .customLong("name"),
    help: ArgumentHelp(
      "A host name or address that the certificate is for; may be repeated.", valueName: "host"))
  var names: [String] = []

  @Option(help: "For how many days the server certificate is valid.")
  var days = 397

  @Flag(help: "Replace files that are there.")
  var force = false

  func validate() throws {
    guard (1...3_650).contains(days) else {
      throw ValidationError("--days: expected a number from 1 to 3650")
    }
    for name in names where !ConfigurationRules.isHost(name.replacing("*.", with: "")) {
      throw ValidationError("--name: \"\(name)\" is neither a host name nor an address")
    }
  }

  func run() throws {
    let taken = ["ca.pem", "ca.key", "server.pem", "server.key"].first {
      FileManager.default.fileExists(atPath: "\(out)/\($0)")
    }
    if let taken, !force {
      throw CommandFailure("\(out)/\(taken) is there already; --force replaces it")
    }
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    } catch {
      throw CommandFailure("\(out): this folder can't be made; --out names another")
    }
    do throws(TLSError) {
      let authority = try CertificateAuthority(at: out)
      let loopback = ["localhost", "127.0.0.1", "::1"]
      let files = try authority.leaf(
        names: names + loopback.filter { !names.contains($0) }, at: "\(out)/server", days: days)
      print("authority    \(authority.certificatePath)")
      print("certificate  \(files.certificate)")
      print("key          \(files.key)")
    } catch {
      throw CommandFailure("\(error)")
    }
  }
}
