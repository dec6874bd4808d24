import ArgumentParser
import Foundation
import TLS

/// `wedlive certs`: an authority with a certificate for development, or the nodes of a cluster.
struct CertsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certs",
    abstract: "Make a certificate authority and certificates of it.",
    discussion: """
      Writes ca.pem, ca.key, server.pem and server.key. Whoever trusts ca.pem trusts the server:

        curl --cacert certs/ca.pem https://localhost:8443/healthz
        wedlive publish --ca certs/ca.pem rtmps://localhost:1936/live/TOKEN

      With --node it writes NAME.pem and NAME.key, by which the nodes of a cluster know each other \
      (cluster.certificate, cluster.key), of the authority in the folder; one is made where there \
      is none. ca.key makes nodes: keep it off them.

        wedlive certs --out cluster-certs --node origin-1 --dns origin-1.internal --ip 10.0.0.7
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write to.", valueName: "folder"))
  var out = "certs"

  @Option(
    name: .customLong("name"),
    help: ArgumentHelp(
      "A host name or address that the certificate is for; may be repeated.", valueName: "host"))
  var names: [String] = []

  @Option(help: ArgumentHelp("The node.id of a node of a cluster.", valueName: "name"))
  var node: String?

  @Option(
    help: ArgumentHelp("A name by which other nodes reach it; may be repeated.", valueName: "host"))
  var dns: [String] = []

  @Option(
    help: ArgumentHelp(
      "An address by which other nodes reach it; may be repeated.", valueName: "address"))
  var ip: [String] = []

  @Option(help: "For how many days the certificate is valid.")
  var days = 397

  @Flag(help: "Replace files that are there; with --node never the authority.")
  var force = false

  func validate() throws {
    guard (1...3_650).contains(days) else {
      throw ValidationError("--days: expected a number from 1 to 3650")
    }
    for name in names + dns where !ConfigurationRules.isHost(name.replacing("*.", with: "")) {
      throw ValidationError("\"\(name)\" is neither a host name nor an address")
    }
    for address in ip where !ConfigurationRules.isNetwork(address) || address.contains("/") {
      throw ValidationError("--ip: \"\(address)\" is no address")
    }
    guard let node else {
      if !dns.isEmpty || !ip.isEmpty {
        throw ValidationError("--dns and --ip are a node's; --name is a server's")
      }
      return
    }
    guard ConfigurationRules.isNodeID(node), !["ca", "server"].contains(node) else {
      throw ValidationError("--node: \"\(node)\" can't be a node's name")
    }
    if names + dns + ip == [] {
      throw ValidationError(
        "--node: give the host that others reach it by (its cluster.address) with --dns or --ip")
    }
  }

  func run() throws {
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    } catch {
      throw CommandFailure("\(out): this folder can't be made; --out names another")
    }
    do {
      if let node { try makeNode(node) } else { try makeServer() }
    } catch let error as TLSError {
      throw CommandFailure("\(error)")
    }
  }

  private func makeServer() throws {
    try refuse(["ca.pem", "ca.key", "server.pem", "server.key"])
    let authority = try CertificateAuthority(at: out)
    let loopback = ["localhost", "127.0.0.1", "::1"]
    show(
      authority,
      try authority.leaf(
        names: names + loopback.filter { !names.contains($0) }, at: "\(out)/server", days: days))
  }

  private func makeNode(_ node: String) throws {
    try refuse(["\(node).pem", "\(node).key"])
    // Half an authority is somebody's mistake, and replacing it would shut all other nodes out.
    let hasAuthority = ["ca.pem", "ca.key"].contains {
      FileManager.default.fileExists(atPath: "\(out)/\($0)")
    }
    let authority =
      hasAuthority
      ? try CertificateAuthority(reading: out)
      : try CertificateAuthority(name: "WedLive cluster CA", at: out)
    show(
      authority,
      try authority.leaf(
        names: names + dns + ip, at: "\(out)/\(node)", subject: node, isNode: true, days: days))
  }

  private func refuse(_ files: [String]) throws {
    let taken = files.first { FileManager.default.fileExists(atPath: "\(out)/\($0)") }
    if let taken, !force {
      throw CommandFailure("\(out)/\(taken) is there already; --force replaces it")
    }
  }

  private func show(_ authority: CertificateAuthority, _ files: TLSCertificateFiles) {
    print("authority    \(authority.certificatePath)")
    print("certificate  \(files.certificate)")
    print("key          \(files.key)")
  }
}
